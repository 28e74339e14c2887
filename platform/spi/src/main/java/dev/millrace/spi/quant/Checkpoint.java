package dev.millrace.spi.quant;

import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/**
 * The tensors of a checkpoint, read-only and thread-safe, and memory for what is made of them.
 * Implemented by the engine; it may grow.
 */
public interface Checkpoint {
  Set<String> names();

  boolean has(String tensor);

  /**
   * The tensor of this full name.
   *
   * @throws InferenceException {@code MISSING_TENSOR}
   */
  CheckpointTensor tensor(String name);

  /** {@code quantization_config} of {@code config.json}; empty where there is none. */
  ModelConfig quantization();

  /**
   * Memory for a converted matrix, outside the heap, aligned to 64 bytes, zeroed; it lives as long
   * as the model. Called by the loading thread.
   *
   * @param owner what it is for, said if there is none left
   * @throws InferenceException {@code OUT_OF_MEMORY}
   */
  MemorySegment allocate(String owner, long bytes);
}
