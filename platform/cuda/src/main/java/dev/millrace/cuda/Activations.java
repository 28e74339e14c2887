package dev.millrace.cuda;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.SlotPlan;
import dev.millrace.engine.device.Value;
import java.util.function.ToLongFunction;

/**
 * The values of one program in device memory, F32, and beside them the scratch that single
 * instructions need, which all share. Made for a number of rows.
 */
final class Activations implements AutoCloseable {
  private static final int ALIGNMENT = 256;

  private final Program program;
  private final SlotPlan plan;
  private final long[] start;
  private final long scratch;
  private final Memory memory;

  /** Takes the memory. */
  Activations(Program program, int rows) {
    this.program = program;
    this.plan = SlotPlan.of(program);
    this.start = new long[plan.widths().length];
    long at = 0;
    for (int i = 0; i < start.length; i++) {
      start[i] = at;
      at += aligned((long) Float.BYTES * rows * plan.widths()[i]);
    }
    this.scratch = at;
    this.memory = new Memory(bytes(program, rows), "activations of %,d rows".formatted(rows));
  }

  /** Bytes for so many rows. */
  static long bytes(Program program, int rows) {
    long bytes = ALIGNMENT;
    for (int width : SlotPlan.of(program).widths()) {
      bytes += aligned((long) Float.BYTES * rows * width);
    }
    ToLongFunction<Instruction> needs = instruction -> scratchBytes(instruction, rows);
    return bytes + program.instructions().stream().mapToLong(needs).max().orElse(0);
  }

  private static long scratchBytes(Instruction instruction, int rows) {
    return switch (instruction) {
      case Instruction.Attend i -> aligned((long) Float.BYTES * rows * i.q().width());
      case Instruction.Mix i -> MixScratch.of(i, 0, rows).end();
      case Instruction.Embed _,
          Instruction.Multiply _,
          Instruction.Normalise _,
          Instruction.AddNormalise _,
          Instruction.HeadNormalise _,
          Instruction.Gate _,
          Instruction.Activate _,
          Instruction.Add _,
          Instruction.Scale _,
          Instruction.SoftCap _ ->
          0;
    };
  }

  /**
   * Where the parts of a mixture's work lie: rows times experts per token each.
   *
   * @param chosen experts' numbers, then their weights at {@code weights}
   * @param gateUp outputs of the first product, {@code gated} of the activation, {@code down} of
   *     the second product
   */
  record MixScratch(long chosen, long weights, long gateUp, long gated, long down, long end) {
    static MixScratch of(Instruction.Mix mix, long start, int rows) {
      long each = (long) Float.BYTES * rows * mix.routing().perToken();
      long weights = start + aligned(each);
      long gateUp = weights + aligned(each);
      long gated = gateUp + aligned(each * 2 * mix.experts().inner());
      long down = gated + aligned(each * mix.experts().inner());
      return new MixScratch(
          start, weights, gateUp, gated, down, down + aligned(each * mix.experts().hidden()));
    }
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }

  /** Address of a value's first number. */
  long address(Value value) {
    int buffer = plan.bufferOf()[value.slot()];
    return memory.address() + start[buffer] + (long) Float.BYTES * value.offset();
  }

  /** Numbers from row to row. */
  int stride(Value value) {
    return program.slotWidths()[value.slot()];
  }

  /** Address of the scratch. */
  long scratch() {
    return memory.address() + scratch;
  }

  @Override
  public void close() {
    memory.close();
  }
}
