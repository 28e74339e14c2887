package dev.millrace.spi.quant;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * One matrix in a device format. {@link #decodeRow} is the truth: kernels are checked against it,
 * and a device without a kernel for the format multiplies decoded rows. Thread-safe.
 */
public interface QuantizedMatrix {
  /** Output features. */
  int rows();

  /** Input features. */
  int cols();

  DeviceFormat format();

  /**
   * What a kernel reads, in the layout of {@link #format()}; not necessarily aligned. Memory
   * outside the heap that is not read-only is the engine's once the matrix has been loaded: it may
   * be put in another order, and neither this nor {@link #decodeRow} is then called any more.
   */
  MemorySegment packed();

  /**
   * Which element of the input each column of {@link #packed()} is multiplied with, for a matrix
   * whose columns are in another order than its input: each of 0 to {@link #cols()} − 1 once. Empty
   * for the order of the input. Not to be written to.
   */
  default int[] inputOrder() {
    return new int[0];
  }

  /**
   * A product for this matrix, where {@link #format()} is {@link DeviceFormat.Own}. A device that
   * does not call it, or finds none, multiplies with decoded rows.
   */
  default Optional<RowKernel> kernel() {
    return Optional.empty();
  }

  /**
   * Writes a row as F32, in the order of the input: exact, slow, mandatory.
   *
   * @param row from 0 to {@link #rows()} − 1
   * @param out at least {@link #cols()} long; only that many elements are written
   */
  void decodeRow(int row, float[] out);
}
