package dev.millrace.engine.load;

import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Embedding;
import dev.millrace.spi.tensor.Experts;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where loaded weights go: a device, which keeps them as it likes and hands out handles. A matrix
 * whose bytes lie in the Java heap may be copied and let go; one that lies outside stays valid
 * until the {@link WeightSource} is closed. Called by the loading thread only.
 */
interface WeightTarget {
  /**
   * One linear of several matrices that share their input.
   *
   * @param name full module name, for messages; several are joined with {@code +}
   * @param parts at least one, all with the same columns; the rows of y are theirs, one after the
   *     other
   * @param bias as long as the parts have rows together, or null
   */
  Linear linear(String name, List<QuantizedMatrix> parts, float @Nullable [] bias);

  /** A token table; it may be used as a linear too, when the head is tied to it. */
  Embedding embedding(String name, QuantizedMatrix table);

  /**
   * The experts of one layer.
   *
   * @param name full name of the module that holds them
   * @param gateUp of each expert: gate and up, in one matrix or two
   * @param down of each expert
   */
  Experts experts(String name, List<List<QuantizedMatrix>> gateUp, List<QuantizedMatrix> down);

  /** A vector, by its full tensor name. */
  Tensor vector(String name, float[] values);
}
