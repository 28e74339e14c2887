package dev.millrace.engine.load;

import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Counts a model's matrices by the format they are kept in. Loading thread. */
final class KeptWeights {
  private final Map<String, WeightFormat> byFormat = new LinkedHashMap<>();

  void add(QuantizedMatrix matrix) {
    var label = WeightFormat.label(matrix.format());
    byFormat.merge(
        label,
        new WeightFormat(label, 1, matrix.packed().byteSize()),
        (a, b) -> new WeightFormat(label, a.matrices() + 1, a.bytes() + b.bytes()));
  }

  /** In the order in which they were first seen. */
  List<WeightFormat> formats() {
    return List.copyOf(byFormat.values());
  }
}
