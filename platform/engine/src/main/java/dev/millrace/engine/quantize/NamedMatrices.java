package dev.millrace.engine.quantize;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.IdentityHashMap;
import org.jspecify.annotations.Nullable;

/** Reads matrices through another plugin and remembers the module of each. Loading thread. */
final class NamedMatrices implements QuantizationPlugin {
  private final QuantizationPlugin plain;
  private final IdentityHashMap<QuantizedMatrix, String> modules = new IdentityHashMap<>();

  NamedMatrices(QuantizationPlugin plain) {
    this.plain = plain;
  }

  /** The module that a matrix is of; null if it was not read here. */
  @Nullable String module(QuantizedMatrix matrix) {
    return modules.get(matrix);
  }

  @Override
  public String name() {
    return plain.name();
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return plain.accepts(matrix, checkpoint);
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    var read = plain.read(matrix, checkpoint);
    modules.put(read, matrix);
    return read;
  }
}
