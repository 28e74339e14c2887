package dev.millrace.engine.device;

import dev.millrace.engine.batch.StepBatch;

/** A model on a device, with its KV cache. Driven by the engine thread only. */
public interface DeviceModel extends AutoCloseable {
  /**
   * Runs one step: the copies of KV blocks, all rows of the batch, then the head on its picked
   * rows.
   *
   * @throws dev.millrace.spi.InferenceException {@code DEVICE_FAILURE} if the step is lost
   */
  void run(StepBatch batch);

  /**
   * Copies the logits of a picked row of the last step.
   *
   * @param pick index into the batch's picks
   * @param out [vocabulary]
   */
  void logits(int pick, float[] out);

  @Override
  void close();
}
