package dev.millrace.spi.quant;

import java.lang.foreign.MemorySegment;

/**
 * A product that a plugin brings for a matrix in its own format: some outputs of {@code y = x Wᵀ},
 * for some inputs. The host calls it from several threads, each for other outputs, and adds biases
 * itself. What a row of x gives must not depend on how many rows there are, nor on how outputs are
 * shared out.
 */
public interface RowKernel {
  /**
   * Computes outputs {@code first} to {@code end} − 1 of all rows.
   *
   * @param x F32 in native order, outside the heap: number {@code c} of row {@code r} at {@code 4 ·
   *     (r · xStride + c)}
   * @param y likewise: output {@code i} of row {@code r} at {@code 4 · (r · yStride + i)}
   * @param rows of x and y, from 0
   */
  void multiply(
      MemorySegment x, long xStride, MemorySegment y, long yStride, int rows, int first, int end);
}
