package dev.millrace.engine.load;

import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;

/**
 * A checkpoint that owns the memory of its tensors, or the maker of one. Its user closes it, after
 * the last tensor has been used. Reading is thread-safe; {@link #expect} and {@link #allocate} are
 * for the loading thread.
 */
public interface WeightSource extends Checkpoint, AutoCloseable {
  /**
   * Says that the model wants this tensor, and in which shape, before it is read. Files have the
   * shape they have and need not listen; a source that makes tensors up makes this one.
   */
  default void expect(String tensor, long... shape) {}

  /**
   * Says that a tensor has become something else, and that nobody will look at these bytes of it
   * again: their memory can go.
   */
  void release(CheckpointTensor tensor);

  /** What is mapped, for those who must know whether it is still there. */
  MappedFiles files();

  @Override
  void close();
}
