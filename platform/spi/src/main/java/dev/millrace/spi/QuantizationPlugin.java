package dev.millrace.spi;

import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.QuantizedMatrix;

/**
 * Reads one encoding of weights, or makes one at load. Stateless and thread-safe, since layers may
 * load in parallel.
 */
public interface QuantizationPlugin {

  /**
   * The name used by {@code --quantization}, in configuration and in metrics, e.g. {@code int8}.
   */
  String name();

  /**
   * True if this plugin can give the matrix. Matrix names are module names without {@code .weight},
   * e.g. {@code model.layers.0.self_attn.q_proj}.
   */
  boolean accepts(String matrix, Checkpoint checkpoint);

  /**
   * The matrix in one of the device formats. Must not copy what the device can use where it lies.
   *
   * @throws InferenceException naming the tensor if its bytes contradict its description
   */
  QuantizedMatrix read(String matrix, Checkpoint checkpoint);
}
