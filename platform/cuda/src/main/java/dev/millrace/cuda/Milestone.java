package dev.millrace.cuda;

import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/** A place in a stream that the host can wait for. Entered threads only. */
final class Milestone implements Owned.Closing {
  private final Handles.Event event = new Handles.Event();

  Milestone() {
    CudaResult.check(
        JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING), "cuEventCreate");
  }

  /** Moves it behind all that the stream has now. */
  void set(long stream) {
    DriverCalls.record(event.value(), stream);
  }

  /** Waits until the stream has come so far; not at all if it was never set. */
  void await() {
    DriverCalls.await(event.value());
  }

  @Override
  public void close() {
    JCudaDriver.cuEventDestroy(event); // a broken context has none
  }
}
