package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.device.Program;
import dev.millrace.engine.device.SlotPlan;
import dev.millrace.engine.device.Value;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The activations of one program: one slab, grown to the largest step so far and reused by every
 * step.
 */
final class Buffers implements AutoCloseable {
  private final Program program;
  private final SlotPlan plan;
  private final MemorySegment[] segments;
  private final int mostRows;
  private Arena arena = Arena.ofShared();
  private int capacity;

  /**
   * Buffers without memory.
   *
   * @param mostRows that will ever be wanted
   */
  Buffers(Program program, int mostRows) {
    this.program = program;
    this.mostRows = mostRows;
    this.plan = SlotPlan.of(program);
    this.segments = new MemorySegment[plan.widths().length];
  }

  /** Makes room for so many rows; what the buffers held is lost. */
  @SuppressWarnings("MustBeClosedChecker") // closed by the next call or by close()
  void ensure(int rows) {
    if (rows <= capacity) {
      return;
    }
    int wanted = Math.max(rows, Math.min(mostRows, 2 * capacity));
    var larger = Arena.ofShared();
    try {
      for (int i = 0; i < segments.length; i++) {
        segments[i] = larger.allocate(JAVA_FLOAT, (long) wanted * plan.widths()[i]);
      }
    } catch (OutOfMemoryError e) {
      larger.close();
      capacity = 0; // the old slab may be referred to no more: the next step starts anew
      throw new InferenceException(
          ErrorCode.OUT_OF_MEMORY,
          "no memory for a step of " + rows + " rows; lower max-num-batched-tokens",
          e);
    }
    arena.close();
    arena = larger;
    capacity = wanted;
  }

  Rows rows(Value value) {
    var segment = segments[plan.bufferOf()[value.slot()]];
    int stride = program.slotWidths()[value.slot()];
    return new Rows(segment, value.offset(), stride, value.width());
  }

  @Override
  public void close() {
    arena.close();
  }
}
