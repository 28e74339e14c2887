// Results of driver calls, with the numbers of cuda.h, and what a call does with them.
#pragma once

enum Result : int {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201,
  NO_BINARY_FOR_GPU = 209,
  INVALID_PTX = 218,
  UNSUPPORTED_PTX_VERSION = 222,
  INVALID_HANDLE = 400,
  ILLEGAL_STATE = 401,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
  LAUNCH_OUT_OF_RESOURCES = 701,
  PRIMARY_CONTEXT_ACTIVE = 708,
  LAUNCH_FAILED = 719,
  NOT_SUPPORTED = 801,
  STREAM_CAPTURE_UNSUPPORTED = 900,
  STREAM_CAPTURE_INVALIDATED = 901,
  STREAM_CAPTURE_IMPLICIT = 906,
  GRAPH_EXEC_UPDATE_FAILURE = 910,
  UNKNOWN = 999,
};

#define DRIVER_CALL extern "C" __attribute__((visibility("default"))) int

// Returns from a driver call unless all is well so far.
#define REQUIRE(condition, otherwise) \
  do {                                \
    if (!(condition)) {               \
      return otherwise;               \
    }                                 \
  } while (0)

#define REQUIRE_SUCCESS(call)          \
  do {                                 \
    if (int result_ = (call)) {        \
      return result_;                  \
    }                                  \
  } while (0)
