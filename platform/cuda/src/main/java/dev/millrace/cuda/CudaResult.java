package dev.millrace.cuda;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import jcuda.driver.CUresult;

/** Results of driver calls, and what they mean for the engine. */
final class CudaResult {
  static final int SUCCESS = CUresult.CUDA_SUCCESS;
  static final int NOT_READY = CUresult.CUDA_ERROR_NOT_READY;

  private CudaResult() {}

  /**
   * Throws unless the call succeeded: {@code OUT_OF_MEMORY}; {@code DEVICE_LOST} if nothing but a
   * new process will do; {@code DEVICE_FAILURE} otherwise.
   *
   * @param call its name, and what makes it understood
   */
  static void check(int result, String call) {
    if (result != SUCCESS) {
      throw failure(result, call);
    }
  }

  static InferenceException failure(int result, String call) {
    String what = call + ": " + CUresult.stringFor(result) + " (" + result + ")";
    if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
      return new InferenceException(ErrorCode.OUT_OF_MEMORY, what);
    }
    if (breaksContext(result)) {
      return new InferenceException(
          ErrorCode.DEVICE_LOST,
          "the GPU's context is broken, and only a new process can use it: " + what);
    }
    return new InferenceException(ErrorCode.DEVICE_FAILURE, what);
  }

  /** Errors after which every further call fails in the same way. */
  private static boolean breaksContext(int result) {
    return switch (result) {
      case CUresult.CUDA_ERROR_DEVICE_UNAVAILABLE,
          CUresult.CUDA_ERROR_ECC_UNCORRECTABLE,
          CUresult.CUDA_ERROR_NVLINK_UNCORRECTABLE,
          CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
          CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
          CUresult.CUDA_ERROR_CONTEXT_IS_DESTROYED,
          CUresult.CUDA_ERROR_ASSERT,
          CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
          CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
          CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
          CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
          CUresult.CUDA_ERROR_INVALID_PC,
          CUresult.CUDA_ERROR_LAUNCH_FAILED,
          CUresult.CUDA_ERROR_SYSTEM_NOT_READY,
          CUresult.CUDA_ERROR_UNKNOWN ->
          true;
      default -> false; // the numbers are NVIDIA's, and new ones come
    };
  }
}
