package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.NormWeights;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.Value;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The weights of a model as native kernels take them: where they lie, or copied once if that is on
 * the heap. Made with the model and closed with it.
 */
final class NativeConstants implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final IdentityHashMap<MatrixLinear, NativeLinear> linears = new IdentityHashMap<>();
  private final IdentityHashMap<float[], MemorySegment> vectors = new IdentityHashMap<>();

  /** Takes all that the programs multiply and normalise with. */
  void add(Program program) {
    var routed = routed(program);
    for (var instruction : program.instructions()) {
      switch (instruction) {
        case Instruction.Multiply i -> add(i.linear(), routed.contains(i.out()));
        case Instruction.Normalise i -> add(i.norm());
        case Instruction.AddNormalise i -> add(i.norm());
        case Instruction.HeadNormalise i -> add(i.norm());
        case Instruction.Mix i -> {
          i.experts().gateUp().forEach(linear -> add(linear, false));
          i.experts().down().forEach(linear -> add(linear, false));
        }
        case Instruction.Embed _,
            Instruction.Attend _,
            Instruction.Gate _,
            Instruction.Activate _,
            Instruction.Add _,
            Instruction.Scale _,
            Instruction.SoftCap _ -> {}
      }
    }
  }

  /** What routers give: a small error there would choose other experts. */
  private static Set<Value> routed(Program program) {
    var routed = new HashSet<Value>();
    for (var instruction : program.instructions()) {
      if (instruction instanceof Instruction.Mix mix) {
        routed.add(mix.routed());
      }
    }
    return routed;
  }

  private void add(MatrixLinear linear, boolean exact) {
    add(linear.bias());
    linears.put(linear, NativeLinear.of(linear, address(linear.bias()), exact, arena));
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
