package dev.millrace.engine.device;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.batch.TokenDraws;

/** A model on a device, with its KV cache. Driven by the engine thread only. */
public interface DeviceModel extends AutoCloseable {
  /** Says that the calling thread, and no other, will run the steps from now on. */
  default void attach() {}

  /**
   * Steps that may be under way when another one is begun: 0 or 1. A device that has one takes the
   * tokens of rows that are {@link StepBatch#drawnAt} a pick from what it draws there, and draws
   * all that it is asked to, {@link TokenDraws#NO_TOKEN} where none can be.
   */
  default int stepsAhead() {
    return 0;
  }

  /**
   * Gets the memory for steps of up to so many rows. A larger one gets its own when it comes.
   *
   * @throws dev.millrace.spi.InferenceException {@code OUT_OF_MEMORY} if there is none
   */
  default void reserve(int rows) {}

  /**
   * Begins one step, behind those under way: the copies of KV blocks in their order, all rows of
   * the batch, then the head on as many of its picked rows as the device has room for. The batch
   * may change afterwards.
   *
   * @throws dev.millrace.spi.InferenceException {@code OUT_OF_MEMORY} or {@code DEVICE_FAILURE} if
   *     the step is lost, {@code DEVICE_LOST} if all further ones are, too
   */
  void run(StepBatch batch);

  /**
   * Copies the logits of a picked row of the last step. Where a step picks more rows than the
   * device holds logits of, it computes the head for some at a time, when one of them is asked for:
   * so ask in ascending order, and no row's head is computed twice.
   *
   * @param pick index into the batch's picks
   * @param out [vocabulary]
   * @throws dev.millrace.spi.InferenceException if the head fails; other picks may still succeed
   */
  void logits(int pick, float[] out);

  /**
   * Draws tokens of picked rows of the last step where the device can, by the rules of {@link
   * dev.millrace.engine.sample.Sampler}, rounding apart; otherwise leaves them undrawn. They are
   * known after {@link #await}.
   *
   * @throws dev.millrace.spi.InferenceException as {@link #run} does: the step is lost
   */
  default void draw(TokenDraws draws) {}

  /**
   * Waits for the step whose draws these are, the oldest that is under way.
   *
   * @throws dev.millrace.spi.InferenceException as {@link #run} does: the step is lost, and so is
   *     one behind it
   */
  default void await(TokenDraws draws) {}

  @Override
  void close();
}
