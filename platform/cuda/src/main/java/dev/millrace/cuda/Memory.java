package dev.millrace.cuda;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.lang.foreign.MemorySegment;
import jcuda.driver.JCudaDriver;

/** Device memory with one owner. Entered threads only. */
final class Memory implements AutoCloseable {
  private final Handles.Address address = new Handles.Address();
  private final long bytes;

  /**
   * Allocates.
   *
   * @param what it is for, for the error
   * @throws InferenceException {@code OUT_OF_MEMORY} with the figures
   */
  Memory(long bytes, String what) {
    this.bytes = bytes;
    int result = JCudaDriver.cuMemAlloc(address, bytes);
    if (result != CudaResult.SUCCESS) {
      var failure = CudaResult.failure(result, "cuMemAlloc");
      throw failure.code() == ErrorCode.OUT_OF_MEMORY ? outOfMemory(what) : failure;
    }
  }

  private InferenceException outOfMemory(String what) {
    long[] free = new long[1];
    long[] total = new long[1];
    JCudaDriver.cuMemGetInfo(free, total);
    return new InferenceException(
        ErrorCode.OUT_OF_MEMORY,
        "%s need %,d MiB of GPU memory, %,d of %,d are free"
            .formatted(what, Math.ceilDiv(bytes, 1 << 20), free[0] >> 20, total[0] >> 20));
  }

  long address() {
    return address.value();
  }

  long bytes() {
    return bytes;
  }

  /** Copies into it from the start on, and waits for that. */
  void upload(MemorySegment source, long offset) {
    if (offset < 0 || source.byteSize() > bytes - offset) {
      throw new IndexOutOfBoundsException(
          source.byteSize() + " bytes at " + offset + " of " + bytes);
    }
    var target = address.withByteOffset(offset);
    int result =
        JCudaDriver.cuMemcpyHtoD(target, new Handles.Host(source.address()), source.byteSize());
    CudaResult.check(result, "cuMemcpyHtoD of " + source.byteSize() + " bytes");
    // its last piece may still be on the way, and our streams would not wait for it
    DriverCalls.synchronize(0);
  }

  @Override
  public void close() {
    JCudaDriver.cuMemFree(address); // a broken context has nothing left to free
  }
}
