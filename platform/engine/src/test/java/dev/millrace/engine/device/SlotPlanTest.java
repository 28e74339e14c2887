package dev.millrace.engine.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class SlotPlanTest {
  @RepeatedTest(20)
  void noTwoSlotsThatAreAliveAtOnceShareABuffer(RepetitionInfo repetition) {
    var random = new Random(repetition.getCurrentRepetition());
    for (int i = 0; i < 20; i++) {
      var program = Program.record(16, new RandomPass(random)::record);
      var plan = SlotPlan.of(program);
      int slots = program.slotWidths().length;
      for (int a = 0; a < slots; a++) {
        for (int b = 0; b < a; b++) {
          if (plan.bufferOf()[a] == plan.bufferOf()[b]) {
            assertTrue(
                lastUse(program, a) < firstUse(program, b)
                    || lastUse(program, b) < firstUse(program, a),
                () -> "two slots share a buffer in " + program);
          }
        }
      }
    }
  }

  @RepeatedTest(20)
  void aResultIsNeverWrittenOverWhatItIsMadeFrom(RepetitionInfo repetition) {
    var random = new Random(100 + repetition.getCurrentRepetition());
    for (int i = 0; i < 20; i++) {
      var program = Program.record(16, new RandomPass(random)::record);
      int[] bufferOf = SlotPlan.of(program).bufferOf();
      for (var instruction : program.instructions()) {
        var values = instruction.values();
        for (var read : values.subList(1, values.size())) {
          assertNotEquals(
              bufferOf[instruction.out().slot()], bufferOf[read.slot()], instruction::toString);
        }
      }
    }
  }

  @RepeatedTest(20)
  void everySlotHasABufferThatIsWideEnough(RepetitionInfo repetition) {
    var random = new Random(200 + repetition.getCurrentRepetition());
    for (int i = 0; i < 20; i++) {
      var program = Program.record(16, new RandomPass(random)::record);
      var plan = SlotPlan.of(program);
      for (int slot = 0; slot < program.slotWidths().length; slot++) {
        assertTrue(plan.widths()[plan.bufferOf()[slot]] >= program.slotWidths()[slot]);
      }
    }
  }

  @Test
  void aChainTakesTurnsOnTwoBuffers() {
    var program =
        Program.record(
            8,
            (input, ops) -> {
              Tensor x = input;
              for (int i = 0; i < 100; i++) {
                x = ops.activate(Activation.RELU, x);
              }
              return x;
            });
    assertArrayEquals(new int[] {8, 8}, SlotPlan.of(program).widths());
  }

  @Test
  void theNarrowestBufferThatFitsIsTaken() {
    var program =
        Program.record(
            8,
            (input, ops) -> {
              var wide = EmptyMatrix.linear(64, 8).apply(input, ops);
              var middle = EmptyMatrix.linear(32, 8).apply(input, ops);
              // frees both
              var sum = ops.add(ops.split(wide, 32, 32).getFirst(), middle);
              return EmptyMatrix.linear(24, 32).apply(sum, ops);
            });
    var plan = SlotPlan.of(program);
    assertArrayEquals(new int[] {8, 64, 32, 32}, plan.widths());
    assertEquals(2, plan.bufferOf()[program.output().slot()]);
  }

  @Test
  void aResidualKeepsItsBufferWhileItIsAddedTo() {
    var program =
        Program.record(
            8,
            (input, ops) -> {
              var norm = Norm.rms(new Vector(new float[8]), 1e-5f);
              Tensor x = ops.norm(input, norm);
              for (int i = 0; i < 10; i++) {
                x = ops.addNorm(input, ops.activate(Activation.RELU, x), norm);
              }
              return x;
            });
    var plan = SlotPlan.of(program);
    int residual = plan.bufferOf()[program.input().slot()];
    assertEquals(1, Arrays.stream(plan.bufferOf()).filter(b -> b == residual).count());
    assertEquals(3, plan.widths().length);
  }

  @Test
  void anInputThatIsAlsoTheOutputHasABuffer() {
    var plan = SlotPlan.of(Program.record(8, (input, _) -> input));
    assertArrayEquals(new int[] {8}, plan.widths());
  }

  /** The instruction that writes a slot first; −1 for what the engine fills in before. */
  private static int firstUse(Program program, int slot) {
    if (slot == program.input().slot()) {
      return -1;
    }
    for (int i = 0; i < program.instructions().size(); i++) {
      if (program.instructions().get(i).out().slot() == slot) {
        return i;
      }
    }
    throw new AssertionError("nothing writes slot " + slot);
  }

  private static int lastUse(Program program, int slot) {
    if (slot == program.output().slot()) {
      return Integer.MAX_VALUE;
    }
    int last = -1;
    for (int i = 0; i < program.instructions().size(); i++) {
      for (var value : program.instructions().get(i).values()) {
        last = value.slot() == slot ? i : last;
      }
    }
    return last;
  }
}
