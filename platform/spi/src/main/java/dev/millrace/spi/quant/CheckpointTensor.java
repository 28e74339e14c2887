package dev.millrace.spi.quant;

import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * One tensor of a checkpoint, where it lies.
 *
 * @param shape outermost dimension first; empty for a scalar
 * @param bytes the elements, row-major, little-endian, read-only, not necessarily aligned; valid
 *     until the model is unloaded if the packed form of a matrix read from it lies in them, else
 *     until that matrix has been read
 */
public record CheckpointTensor(String name, DType dtype, List<Long> shape, MemorySegment bytes) {
  public CheckpointTensor {
    shape = List.copyOf(shape);
    bytes = bytes.asReadOnly();
  }

  /** Elements in all. */
  public long elements() {
    return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
  }
}
