package dev.millrace.cuda;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.SlotPlan;
import dev.millrace.engine.device.Value;

/**
 * The values of one program in device memory; behind them, plans of attention by window, and the
 * scratch that single instructions need, which all share. Made for a number of rows.
 */
final class Activations implements AutoCloseable {
  private final Program program;
  private final NumberTypes types;
  private final SlotPlan plan;
  private final int rows;
  private final long[] start;
  private final long plans;
  private final long scratch;
  private final Memory memory;

  /** Takes the memory. */
  Activations(Program program, NumberTypes types, KvDtype dtype, int rows) {
    this.program = program;
    this.types = types;
    this.plan = SlotPlan.of(program);
    this.rows = rows;
    this.start = new long[plan.widths().length];
    long at = 0;
    for (int i = 0; i < start.length; i++) {
      start[i] = at;
      at += PackedMatrix.aligned((long) types.bytes() * rows * plan.widths()[i]);
    }
    this.plans = at;
    this.scratch = at + windows(program, types, dtype) * DecodeParts.of(0, rows).end();
    long bytes = bytes(program, types, dtype, rows);
    this.memory = new Memory(bytes, "activations of %,d rows".formatted(rows));
  }

  /** Bytes for so many rows. */
  static long bytes(Program program, NumberTypes types, KvDtype dtype, int rows) {
    long bytes = windows(program, types, dtype) * DecodeParts.of(0, rows).end();
    for (int width : SlotPlan.of(program).widths()) {
      bytes += PackedMatrix.aligned((long) types.bytes() * rows * width);
    }
    long most = 0;
    for (var instruction : program.instructions()) {
      most = Math.max(most, scratchBytes(instruction, types, dtype, rows));
    }
    return Math.max(1, bytes + most);
  }

  /** How many windows plans of attention are made for. */
  private static long windows(Program program, NumberTypes types, KvDtype dtype) {
    return program.instructions().stream()
        .filter(Instruction.Attend.class::isInstance)
        .map(Instruction.Attend.class::cast)
        .filter(attend -> AttentionCompiler.onTensorCores(attend, types.precision(), dtype))
        .map(attend -> attend.attention().window())
        .distinct()
        .count();
  }

  private static long scratchBytes(
      Instruction instruction, NumberTypes types, KvDtype dtype, int rows) {
    var precision = types.precision();
    return switch (instruction) {
      case Instruction.Attend i -> {
        boolean parts = AttentionCompiler.onTensorCores(i, precision, dtype);
        int dim = i.attention().headDim();
        yield DecodeScratch.of(precision, i.q().width() / dim, dim, parts, 0, rows).end();
      }
      case Instruction.Mix i -> MixScratch.of(i, precision, 0, rows).end();
      case Instruction.Multiply i -> ProductPlan.scratchBytes(i.linear(), precision, rows);
      case Instruction.Embed _,
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

  NumberTypes types() {
    return types;
  }

  /** Address of a value's first number. */
  long address(Value value) {
    int buffer = plan.bufferOf()[value.slot()];
    return memory.address() + start[buffer] + (long) types.of(value).bytes() * value.offset();
  }

  /** Numbers from row to row. */
  int stride(Value value) {
    return program.slotWidths()[value.slot()];
  }

  /** Where the plan of attention for one of the program's windows lies. */
  DecodeParts decodeParts(int window) {
    return DecodeParts.of(memory.address() + plans + window * DecodeParts.of(0, rows).end(), rows);
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
