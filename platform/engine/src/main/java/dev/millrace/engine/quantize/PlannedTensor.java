package dev.millrace.engine.quantize;

import dev.millrace.spi.quant.DType;
import java.util.Arrays;
import java.util.List;

/** A tensor of a checkpoint that is being written. */
record PlannedTensor(String name, DType dtype, List<Long> shape) {
  PlannedTensor {
    shape = List.copyOf(shape);
  }

  static PlannedTensor of(String name, DType dtype, long... shape) {
    return new PlannedTensor(name, dtype, Arrays.stream(shape).boxed().toList());
  }

  long bytes() {
    long elements = shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    return Math.multiplyExact(elements, dtype.bytes());
  }
}
