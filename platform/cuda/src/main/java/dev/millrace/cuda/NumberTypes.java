package dev.millrace.cuda;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.Value;
import java.util.Arrays;
import java.util.List;

/**
 * The type of each value of a program.
 *
 * @param bySlot of each slot
 * @param precision of what is not wider
 */
record NumberTypes(List<Precision> bySlot, Precision precision) {
  NumberTypes {
    bySlot = List.copyOf(bySlot);
  }

  /** Of a model's body: one type for all. */
  static NumberTypes body(Program program, Precision precision) {
    var types = new Precision[program.slotWidths().length];
    Arrays.fill(types, precision);
    return new NumberTypes(List.of(types), precision);
  }

  /** Of a model's head: what follows a product is F32, because tokens are chosen by it. */
  static NumberTypes head(Program program, Precision precision) {
    var types = new Precision[program.slotWidths().length];
    Arrays.fill(types, precision);
    for (var instruction : program.instructions()) {
      boolean wide =
          instruction instanceof Instruction.Multiply
              || instruction.values().stream()
                  .anyMatch(value -> types[value.slot()] == Precision.FLOAT32);
      if (wide) {
        types[instruction.out().slot()] = Precision.FLOAT32;
      }
    }
    return new NumberTypes(List.of(types), precision);
  }

  Precision of(Value value) {
    return bySlot.get(value.slot());
  }

  /** Bytes of the widest. */
  int bytes() {
    return bySlot.stream().mapToInt(Precision::bytes).max().orElse(Float.BYTES);
  }
}
