package dev.millrace.engine.device;

import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * A recorded forward pass: instructions in order, without branches. Slots are virtual; {@link
 * SlotPlan} says which of them share memory.
 *
 * @param instructions in order
 * @param slotWidths numbers per row of each slot
 * @param input what the engine fills in before it runs; of width 0 if there is none
 * @param output what it reads afterwards
 */
public record Program(List<Instruction> instructions, int[] slotWidths, Value input, Value output) {
  public Program {
    instructions = List.copyOf(instructions);
  }

  /** Records a pass that starts from the step's tokens. */
  public static Program record(Function<Ops, Tensor> pass) {
    var recorder = new Recorder();
    var output = recorder.value(pass.apply(recorder));
    return recorder.program(new Value(0, 0, 0), output);
  }

  /** Records a pass that starts from rows of the given width. */
  public static Program record(int inputWidth, BiFunction<Tensor, Ops, Tensor> pass) {
    var recorder = new Recorder();
    var input = recorder.newSlot(inputWidth);
    var output = recorder.value(pass.apply(input, recorder));
    return recorder.program(input, output);
  }
}
