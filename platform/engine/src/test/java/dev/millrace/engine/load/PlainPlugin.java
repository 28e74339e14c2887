package dev.millrace.engine.load;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Reads {@code .weight} matrices of plain floats, except one it refuses. */
final class PlainPlugin implements QuantizationPlugin {
  final List<String> read = new ArrayList<>();
  private final String name;
  private final String refused;

  PlainPlugin(String name, String refused) {
    this.name = name;
    this.refused = refused;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return !matrix.equals(refused)
        && checkpoint.has(matrix + ".weight")
        && checkpoint.tensor(matrix + ".weight").shape().size() == 2;
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    read.add(matrix);
    CheckpointTensor tensor = checkpoint.tensor(matrix + ".weight");
    FloatCodec codec = Objects.requireNonNull(FloatCodec.of(tensor.dtype()));
    int rows = Math.toIntExact(tensor.shape().getFirst());
    int cols = Math.toIntExact(tensor.shape().getLast());
    return new FloatTable(rows, cols, codec, tensor.bytes());
  }
}
