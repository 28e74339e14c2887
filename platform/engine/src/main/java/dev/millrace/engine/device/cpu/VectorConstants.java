package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.NormWeights;
import dev.millrace.engine.device.Program;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The weights of a model as vector kernels take them. Made with the model and closed with it. */
final class VectorConstants implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final IdentityHashMap<MatrixLinear, VectorLinear> linears = new IdentityHashMap<>();
  private final IdentityHashMap<float[], float[]> vectors = new IdentityHashMap<>();

  /** Takes all that the programs multiply and normalise with. */
  void add(Program program) {
    for (var linear : program.linears()) {
      if (!OwnProduct.takes(linear)) {
        linears.computeIfAbsent(linear, _ -> VectorLinear.of(linear, arena));
      }
    }
    program.norms().forEach(this::add);
  }

  /** Takes a linear for as long as something runs, unless it is one of the programs'. */
  void lend(MatrixLinear linear, Runnable work) {
    if (linears.containsKey(linear) || OwnProduct.takes(linear)) {
      work.run();
      return;
    }
    try (var brief = Arena.ofShared()) {
      linears.put(linear, VectorLinear.of(linear, brief));
      work.run();
    } finally {
      linears.remove(linear);
    }
  }

  private void add(NormWeights norm) {
    add(norm.weight());
    add(norm.bias());
  }

  private void add(float @Nullable [] numbers) {
    if (numbers != null) {
      vectors.computeIfAbsent(numbers, _ -> Arrays.copyOf(numbers, Lanes.padded(numbers.length)));
    }
  }

  VectorLinear linear(MatrixLinear linear) {
    return Objects.requireNonNull(linears.get(linear), "taken when the model was loaded");
  }

  /** Numbers of a norm, filled up with zeros; null for none. */
  float @Nullable [] vector(float @Nullable [] numbers) {
    return numbers == null ? null : Objects.requireNonNull(vectors.get(numbers));
  }

  @Override
  public void close() {
    arena.close();
  }
}
