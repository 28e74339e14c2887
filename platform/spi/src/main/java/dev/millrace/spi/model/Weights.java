package dev.millrace.spi.model;

import dev.millrace.spi.InferenceException;
import dev.millrace.spi.tensor.Embedding;
import dev.millrace.spi.tensor.Experts;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;

/**
 * Hands out a model's tensors by name, checked against the shape the model expects. Sizes are those
 * of the whole model; a rank gets its part. Names are module names, without {@code .weight}; a
 * matrix's {@code .bias} is found by itself. Called by the loading thread only.
 *
 * <p>Every method fails with {@code MISSING_TENSOR} or {@code BAD_SHAPE} and the tensor's full
 * name.
 */
public interface Weights {
  /** A matrix [out, in] in whatever encoding the checkpoint has. */
  Linear linear(String name, int out, int in, Split split);

  /** Several matrices as one: its output is theirs, one after the other in each row. */
  Linear merged(List<Part> parts, int in, Split split);

  /** A token table [vocabulary, width]. */
  Embedding embedding(String name, int vocabulary, int width);

  /**
   * The matrices of {@code count} experts, each {@code down(f(gate(x)) · up(x))}. They are found as
   * {@code 0.name}, {@code 1.name} and so on, or all in one tensor [count, out, in] that is called
   * by the name alone.
   *
   * @param parts of each expert: gate and up, or one part that has both, then down
   * @param in input columns of gate and up; down has as many as gate and up have rows each
   */
  Experts experts(int count, List<Part> parts, int in);

  /** A vector, by its full tensor name, such as {@code norm.weight}. */
  Tensor vector(String name, int length);

  /** Whether the checkpoint has the tensor of this full name, such as {@code lm_head.weight}. */
  boolean has(String name);

  /**
   * The same weights below {@code prefix + "."}.
   *
   * @throws InferenceException never: names are checked when they are used
   */
  Weights at(String prefix);
}
