package dev.millrace.cuda;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;

/** Statuses of cuBLASLt's calls, and what they mean for the engine. */
final class BlasStatus {
  static final int SUCCESS = 0;
  private static final int ALLOCATION_FAILED = 3;
  private static final int INVALID_VALUE = 7;
  private static final int ARCHITECTURE_MISMATCH = 8;
  static final int NOT_SUPPORTED = 15;

  private BlasStatus() {}

  /**
   * Throws unless the call succeeded: {@code OUT_OF_MEMORY}, else {@code DEVICE_FAILURE}. Whether
   * the context is broken, the driver's next call tells.
   */
  static void check(int status, String call) {
    if (status != SUCCESS) {
      throw new InferenceException(
          status == ALLOCATION_FAILED ? ErrorCode.OUT_OF_MEMORY : ErrorCode.DEVICE_FAILURE,
          call + ": " + name(status) + " (" + status + ")");
    }
  }

  /** Whether another algorithm may still do what was asked. */
  static boolean refused(int status) {
    return status == NOT_SUPPORTED || status == INVALID_VALUE || status == ARCHITECTURE_MISMATCH;
  }

  private static String name(int status) {
    return switch (status) {
      case 1 -> "CUBLAS_STATUS_NOT_INITIALIZED";
      case ALLOCATION_FAILED -> "CUBLAS_STATUS_ALLOC_FAILED";
      case INVALID_VALUE -> "CUBLAS_STATUS_INVALID_VALUE";
      case ARCHITECTURE_MISMATCH -> "CUBLAS_STATUS_ARCH_MISMATCH";
      case 11 -> "CUBLAS_STATUS_MAPPING_ERROR";
      case 13 -> "CUBLAS_STATUS_EXECUTION_FAILED";
      case 14 -> "CUBLAS_STATUS_INTERNAL_ERROR";
      case NOT_SUPPORTED -> "CUBLAS_STATUS_NOT_SUPPORTED";
      default -> "an unknown status"; // the numbers are NVIDIA's, and new ones come
    };
  }
}
