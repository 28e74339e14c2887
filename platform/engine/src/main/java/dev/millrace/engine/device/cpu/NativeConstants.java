package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.NormWeights;
import dev.millrace.engine.device.Program;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.IdentityHashMap;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a model as native kernels take them: where they lie, or copied once if that is on
 * the heap. Made with the model and closed with it.
 */
final class NativeConstants implements AutoCloseable {
  private final NativeFunctions functions;
  private final int threads;
  private final Arena arena = Arena.ofShared();
  private final IdentityHashMap<MatrixLinear, NativeLinear> linears = new IdentityHashMap<>();
  private final IdentityHashMap<float[], MemorySegment> vectors = new IdentityHashMap<>();

  /** Of what these functions multiply and normalise with, on so many threads. */
  NativeConstants(NativeFunctions functions, int threads) {
    this.functions = functions;
    this.threads = threads;
  }

  /** Takes all that the programs multiply and normalise with. */
  void add(Program program) {
    var routers = program.routers();
    for (var linear : program.linears()) {
      // a small error of a router would choose other experts
      boolean exact = routers.contains(linear);
      add(linear.bias());
      if (OwnProduct.takes(linear)) {
        continue;
      }
      linears.put(linear, taken(linear, address(linear.bias()), exact, arena));
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
      float[] bias = linear.bias();
      long address = bias == null ? 0 : brief.allocateFrom(JAVA_FLOAT, bias).address();
      linears.put(linear, taken(linear, address, false, brief));
      work.run();
    } finally {
      linears.remove(linear);
    }
  }

  private NativeLinear taken(MatrixLinear linear, long bias, boolean exact, Arena memory) {
    return NativeLinear.of(linear, bias, exact, functions, threads, memory);
  }

  private void add(NormWeights norm) {
    add(norm.weight());
    add(norm.bias());
  }

  private void add(float @Nullable [] numbers) {
    if (numbers != null) {
      vectors.computeIfAbsent(numbers, _ -> arena.allocateFrom(JAVA_FLOAT, numbers));
    }
  }

  NativeLinear linear(MatrixLinear linear) {
    return Objects.requireNonNull(linears.get(linear), "taken when the model was loaded");
  }

  /** Address of numbers; 0 for none. */
  long address(float @Nullable [] numbers) {
    return numbers == null ? 0 : Objects.requireNonNull(vectors.get(numbers)).address();
  }

  @Override
  public void close() {
    arena.close();
  }
}
