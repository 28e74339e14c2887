package dev.millrace.engine.load;

import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Embedding;
import dev.millrace.spi.tensor.Experts;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A device that only remembers what it was given. */
final class RecordingTarget implements WeightTarget {
  private final List<String> names = new ArrayList<>();

  /** Whatever was bound; {@code bias} holds the numbers of a vector too. */
  record Bound(String name, List<QuantizedMatrix> parts, float @Nullable [] bias)
      implements Embedding, Tensor {
    float[] row(int part, int row) {
      float[] out = new float[parts.get(part).cols()];
      parts.get(part).decodeRow(row, out);
      return out;
    }

    @Override
    public int vocabulary() {
      return parts.getFirst().rows();
    }

    @Override
    public int width() {
      return parts.getFirst().cols();
    }

    @Override
    public Tensor apply(Tensor x, Ops ops) {
      throw new UnsupportedOperationException("nothing is computed here");
    }
  }

  /** Experts as they were bound. */
  record BoundExperts(List<List<QuantizedMatrix>> gateUp, List<QuantizedMatrix> down)
      implements Experts {
    @Override
    public int count() {
      return down.size();
    }
  }

  List<String> names() {
    return names;
  }

  @Override
  public Linear linear(String name, List<QuantizedMatrix> parts, float @Nullable [] bias) {
    names.add(name);
    return new Bound(name, parts, bias);
  }

  @Override
  public Embedding embedding(String name, QuantizedMatrix table) {
    names.add(name);
    return new Bound(name, List.of(table), null);
  }

  @Override
  public Experts experts(
      String name, List<List<QuantizedMatrix>> gateUp, List<QuantizedMatrix> down) {
    names.add(name);
    return new BoundExperts(gateUp, down);
  }

  @Override
  public Tensor vector(String name, float[] values) {
    names.add(name);
    return new Bound(name, List.of(), values);
  }
}
