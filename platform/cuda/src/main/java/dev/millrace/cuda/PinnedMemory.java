package dev.millrace.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.driver.JCudaDriver;

/** Host memory that the device copies from and to by itself. Entered threads only. */
@SuppressWarnings("restricted")
final class PinnedMemory implements Owned.Closing {
  private final Handles.Host host = new Handles.Host();
  private final MemorySegment segment;

  PinnedMemory(long bytes) {
    CudaResult.check(
        JCudaDriver.cuMemHostAlloc(host, bytes, 0), "cuMemHostAlloc of " + bytes + " bytes");
    this.segment = MemorySegment.ofAddress(host.value()).reinterpret(bytes);
  }

  /** Valid until this is closed. */
  MemorySegment segment() {
    return segment;
  }

  @Override
  public void close() {
    JCudaDriver.cuMemFreeHost(host); // a broken context has nothing left to free
  }
}
