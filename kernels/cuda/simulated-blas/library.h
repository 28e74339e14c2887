// The objects behind the simulated cuBLASLt's handles, with the numbers of NVIDIA's cublasLt.h.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>

enum Status : int {
  SUCCESS = 0,
  NOT_INITIALIZED = 1,
  INVALID_VALUE = 7,
  EXECUTION_FAILED = 13,
  NOT_SUPPORTED = 15,
};

enum Type : int { R_32F = 0, R_16BF = 14, R_8F_E4M3 = 28 };

constexpr int COMPUTE_32F = 68;
constexpr int EPILOGUE_DEFAULT = 1;
constexpr int EPILOGUE_BIAS = 4;
constexpr int SCALE_SCALAR = 0;
constexpr int SCALE_OUTER_VECTOR = 3;
constexpr int SCALE_MODES_SINCE = 120900;
constexpr uint32_t REDUCTION_IN_F32 = 2;
constexpr size_t WORKSPACE_ALIGNMENT = 256;

struct Operation {
  int computeType;
  int scaleType;
  int transposeA = 0;
  int transposeB = 0;
  int epilogue = EPILOGUE_DEFAULT;
  const void* bias = nullptr;
  const float* scaleA = nullptr;
  const float* scaleB = nullptr;
  int scaleModeA = SCALE_SCALAR;
  int scaleModeB = SCALE_SCALAR;
  int8_t fastAccumulation = 0;
};

struct Layout {
  int type;
  uint64_t rows;
  uint64_t columns;
  int64_t stride;
};

struct Preference {
  uint64_t workspace = 0;
  uint32_t reductions = ~0u;  // how parts of a sum may be added up
  std::array<uint32_t, 4> alignment = {256, 256, 256, 256};
};

struct Algorithm {
  uint64_t data[8];
};

struct HeuristicResult {
  Algorithm algorithm;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
static_assert(sizeof(HeuristicResult) == 96, "as in cublasLt.h");

constexpr int ALGORITHMS = 4;

struct AlgorithmSettings {
  int state = SUCCESS;    // what the heuristic says of it
  int refusal = SUCCESS;  // what a product with it is answered
  int milliseconds = 0;   // that it takes longer
};

struct Blas {
  std::mutex lock;
  std::set<void*> handles, operations, layouts, preferences;
  AlgorithmSettings algorithms[ALGORITHMS];
  int create = SUCCESS;
  size_t version = 130100;
  long heuristics = 0;
  long products = 0;
  long runs[ALGORITHMS] = {};  // on the device
};

Blas& blas();

using Lock = std::lock_guard<std::mutex>;

// One product as it was asked for: copied, for the work runs later and maybe often.
struct Product {
  Operation operation;
  Layout a, b, d;
  const void* aData;
  const void* bData;
  void* dData;
  void* workspace;
  size_t workspaceBytes;
  float alpha, beta;
  int algorithm;

  uint64_t outs() const { return a.columns; }
  uint64_t ins() const { return a.rows; }
  uint64_t rows() const { return b.columns; }
};

// Whether the library has a product of such matrices; needs neither their addresses nor the bias's.
int checkShapes(const Operation& operation, const Layout& a, const Layout& b, const Layout& c,
                const Layout& d);

// Bytes of workspace that an algorithm needs.
size_t workspaceOf(int algorithm, const Product& product);

// Whether an algorithm can do it.
int checkAlgorithm(int algorithm, const Product& product);

// Computes; a result of the driver.
int compute(const Product& product);

size_t bytesOf(int type);

#define BLAS_CALL extern "C" __attribute__((visibility("default")))

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
