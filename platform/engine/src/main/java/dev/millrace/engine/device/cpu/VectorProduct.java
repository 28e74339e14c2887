package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.device.MatrixLinear;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * {@code y = x Wᵀ + b} by vectors: one phase, shared out by rows of W. Eight rows at a time are
 * decoded and multiplied with all rows of x. Engine thread.
 */
final class VectorProduct implements Product {
  /** Multiplications that one thread does sooner than two agree on who does what. */
  private static final long ALONE = 20_000;

  /** Rows of W that are decoded together, and the rows and tokens of a larger block. */
  private static final int ROWS = 8;

  private static final int BLOCK = 4;

  /** Tokens that are multiplied with a slice before the next: they stay in the L2 cache. */
  private static final int PANEL_NUMBERS = 64 << 10;

  private final VectorConstants constants;
  private final Workers workers;
  private final Scratch[] scratch;
  private float[] activations = new float[0];

  VectorProduct(VectorConstants constants, Workers workers) {
    this.constants = constants;
    this.workers = workers;
    this.scratch = new Scratch[workers.count()];
    Arrays.setAll(scratch, _ -> new Scratch());
  }

  private static final class Scratch {
    float[] weights = new float[0];
    final float[] lanes = new float[BLOCK * BLOCK * Lanes.WIDTH];
    final float[] results = new float[BLOCK * BLOCK];
  }

  @Override
  public void run(MatrixLinear linear, Rows x, Rows out, int rows) {
    var ready = constants.linear(linear);
    read(x, rows);
    int slices = ready.slices().size();
    if (ready.weights() * rows > ALONE) {
      workers.run(slices, (slice, worker) -> multiply(ready, slice, out, rows, scratch[worker]));
      return;
    }
    for (int slice = 0; slice < slices; slice++) {
      multiply(ready, slice, out, rows, scratch[0]);
    }
  }

  /** Copies x to where vectors find it without checks, filled up with zeros. */
  private void read(Rows x, int rows) {
    int stride = Lanes.stride(x.width());
    activations = Lanes.room(activations, rows * stride);
    for (int row = 0; row < rows; row++) {
      int to = row * stride;
      MemorySegment.copy(x.segment(), JAVA_FLOAT, 4 * x.start(row), activations, to, x.width());
      Lanes.pad(activations, to, x.width(), stride);
    }
  }

  private void multiply(VectorLinear linear, int index, Rows out, int rows, Scratch s) {
    var slice = linear.slices().get(index);
    int width = linear.source().in();
    int stride = Lanes.stride(width);
    s.weights = Lanes.room(s.weights, ROWS * stride);
    int panel = Math.max(BLOCK, PANEL_NUMBERS / stride / BLOCK * BLOCK);
    for (int token = 0; token < rows; token += panel) {
      int end = Math.min(rows, token + panel);
      for (int row = slice.first(); row < slice.end(); row += ROWS) {
        int count = Math.min(ROWS, slice.end() - row);
        for (int r = 0; r < count; r++) {
          slice.matrix().decode(row + r, s.weights, r * stride, stride);
        }
        var group = new Group(slice.output() + row, count, stride, Lanes.padded(width));
        multiply(group, linear.source().bias(), out, token, end, s);
      }
    }
  }

  /** Decoded rows of W; what lies behind {@code count} of them is computed with and dropped. */
  private record Group(int output, int count, int stride, int length) {}

  private void multiply(
      Group group, float @Nullable [] bias, Rows out, int first, int end, Scratch s) {
    int token = first;
    int stride = group.stride;
    for (; token + BLOCK <= end; token += BLOCK) {
      for (int row = 0; row < group.count; row += BLOCK) {
        VectorBlock.fourByFour(
            s.weights, row * stride, activations, token * stride, stride, group.length, s.lanes);
        Lanes.fold(s.lanes, BLOCK * BLOCK, s.results);
        for (int i = 0; i < BLOCK * BLOCK && row + i / BLOCK < group.count; i++) {
          write(group, bias, out, token + i % BLOCK, row + i / BLOCK, s.results[i]);
        }
      }
    }
    for (; token < end; token++) {
      VectorBlock.eightByOne(
          s.weights, 0, activations, token * stride, stride, group.length, s.lanes);
      Lanes.fold(s.lanes, group.count, s.results);
      for (int row = 0; row < group.count; row++) {
        write(group, bias, out, token, row, s.results[row]);
      }
    }
  }

  private static void write(
      Group group, float @Nullable [] bias, Rows out, int token, int row, float result) {
    int output = group.output + row;
    out.set(token, output, bias == null ? result : result + bias[output]);
  }
}
