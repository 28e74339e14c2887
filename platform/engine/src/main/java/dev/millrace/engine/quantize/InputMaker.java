package dev.millrace.engine.quantize;

import dev.millrace.engine.device.Instruction;
import dev.millrace.engine.device.NormWeights;
import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.Value;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.Optional;

/**
 * What gives a linear its input, where that can be made smaller number by number without any other
 * change to the model: a norm, or rows of another linear.
 */
sealed interface InputMaker {
  /** A norm, whose result goes nowhere else. */
  record OfNorm(NormWeights norm) implements InputMaker {}

  /** Rows of a part of a linear without a bias: input i is proportional to row i. */
  record OfRows(QuantizedMatrix part) implements InputMaker {}

  /** What gives a linear its input in this program; empty where nothing can be scaled. */
  static Optional<InputMaker> of(Instruction.Multiply multiply, Program program) {
    if (!readsAlone(multiply, program)) {
      return Optional.empty();
    }
    return writer(multiply.x(), program)
        .flatMap(writer ->
            switch (writer) {
              case Instruction.Normalise i -> Optional.of(new OfNorm(i.norm()));
              case Instruction.AddNormalise i -> Optional.of(new OfNorm(i.norm()));
              case Instruction.Gate i -> secondHalf(i.gateUp(), program);
              // heads that share their values would want one factor for all of them
              case Instruction.Attend i when i.v().width() == i.q().width() -> part(i.v(), program);
              case Instruction.Attend _,
                  Instruction.Embed _,
                  Instruction.HeadNormalise _,
                  Instruction.Multiply _,
                  Instruction.Activate _,
                  Instruction.Add _,
                  Instruction.Scale _,
                  Instruction.SoftCap _,
                  Instruction.Mix _ ->
                  Optional.empty();
            });
  }

  private static Optional<Instruction> writer(Value value, Program program) {
    return program.instructions().stream()
        .filter(instruction -> instruction.out().slot() == value.slot())
        .findFirst();
  }

  /** Whether nothing but this linear reads its input, and it reads all of it. */
  private static boolean readsAlone(Instruction.Multiply multiply, Program program) {
    int slot = multiply.x().slot();
    return multiply.x().width() == program.slotWidths()[slot]
        && program.output().slot() != slot
        && program.instructions().stream()
            .filter(instruction ->
                !instruction.out().equals(multiply.out()) && instruction.out().slot() != slot)
            .flatMap(instruction -> instruction.values().stream())
            .noneMatch(value -> value.slot() == slot);
  }

  private static Optional<InputMaker> secondHalf(Value both, Program program) {
    int width = both.width() / 2;
    return part(new Value(both.slot(), both.offset() + width, width), program);
  }

  /** The part of a linear that gives just this value. */
  private static Optional<InputMaker> part(Value value, Program program) {
    var writer = writer(value, program).orElse(null);
    if (!(writer instanceof Instruction.Multiply multiply) || multiply.linear().bias() != null) {
      return Optional.empty();
    }
    int at = multiply.out().offset();
    for (var part : multiply.linear().parts()) {
      if (at == value.offset() && part.rows() == value.width()) {
        return Optional.of(new OfRows(part));
      }
      at += part.rows();
    }
    return Optional.empty();
  }
}
