package dev.millrace.engine.load;

import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import java.lang.foreign.MemorySegment;

/**
 * A checkpoint that owns the memory of its tensors, or the maker of one. Its user closes it, after
 * the last tensor has been used. Reading is thread-safe; the methods below are for the loading
 * thread.
 */
public interface WeightSource extends Checkpoint, AutoCloseable {
  /**
   * Says that the model wants this tensor, and in which shape, before it is read. Files have the
   * shape they have and need not listen; a source that makes tensors up makes this one.
   */
  void expect(String tensor, long... shape);

  /**
   * Memory outside the heap, aligned to 64 bytes, zeroed, that lives as long as this source.
   *
   * @param owner what it is for, said if there is none left
   * @throws InferenceException {@code OUT_OF_MEMORY}
   */
  MemorySegment allocate(String owner, long bytes);

  @Override
  void close();
}
