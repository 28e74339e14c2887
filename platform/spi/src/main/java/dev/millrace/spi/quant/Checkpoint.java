package dev.millrace.spi.quant;

import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import java.util.Set;

/** The tensors of a checkpoint, read-only and thread-safe. */
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
}
