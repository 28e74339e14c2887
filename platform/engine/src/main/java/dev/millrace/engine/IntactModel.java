package dev.millrace.engine;

import dev.millrace.engine.batch.StepBatch;
import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.InferenceException;

/**
 * A model on a device, none of whose results is used that was computed with weights that were not
 * there. Used by the engine thread.
 */
record IntactModel(DeviceModel model, MappedFiles files) implements DeviceModel {
  @Override
  public void attach() {
    model.attach();
  }

  @Override
  public void run(StepBatch batch) {
    checked(() -> model.run(batch));
  }

  @Override
  public int stepsAhead() {
    return model.stepsAhead();
  }

  @Override
  public void reserve(int rows) {
    model.reserve(rows);
  }

  @Override
  public void logits(int pick, float[] out) {
    checked(() -> model.logits(pick, out));
  }

  @Override
  public void draw(TokenDraws draws) {
    checked(() -> model.draw(draws));
  }

  @Override
  public void await(TokenDraws draws) {
    checked(() -> model.await(draws));
  }

  private void checked(Runnable work) {
    try {
      work.run();
    } catch (RuntimeException | InternalError e) {
      if (unreadable(e)) {
        throw files.unreadable(e);
      }
      throw e;
    }
    files.checkRead();
  }

  /**
   * Whether a page of a mapping could not be read. Where nobody guards mappings, the JVM throws an
   * InternalError for it, on whichever thread was reading.
   */
  private static boolean unreadable(Throwable thrown) {
    return thrown instanceof InternalError
        || (!(thrown instanceof InferenceException) && thrown.getCause() instanceof InternalError);
  }

  @Override
  public void close() {
    model.close();
  }
}
