package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.millrace.engine.device.MatrixLinear;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
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

  /** Numbers of x that are copied at a time. */
  private static final int COPIED_NUMBERS = 1 << 26;

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

  /** One thread's memory, and the rows of W that it holds decoded. */
  private static final class Scratch {
    float[] weights = new float[0];

    /** Scales of a row of W. */
    float[] spare = new float[0];

    /** What the first row of W gives. */
    int output;

    /** The row of x that was copied first. */
    int first;

    /** Rows; what lies behind them is computed with and dropped. */
    int count;

    int stride;
    int length;
    final float[] lanes = new float[BLOCK * BLOCK * Lanes.WIDTH];
    final float[] results = new float[BLOCK * BLOCK];
  }

  @Override
  public void run(MatrixLinear linear, Rows x, Rows out, int rows) {
    var ready = constants.linear(linear);
    int most = Math.max(1, COPIED_NUMBERS / Lanes.stride(x.width()));
    for (int first = 0; first < rows; first += most) {
      run(ready, x, out, first, Math.min(most, rows - first));
    }
  }

  private void run(VectorLinear linear, Rows x, Rows out, int first, int rows) {
    for (var group : linear.groups()) {
      read(x, first, rows, group.order());
      run(linear, group.slices(), out, first, rows);
    }
  }

  private void run(
      VectorLinear linear, List<VectorLinear.Slice> slices, Rows out, int first, int rows) {
    if (linear.weights() * rows > ALONE) {
      workers.run(
          slices.size(),
          (slice, worker) ->
              multiply(linear.source(), slices.get(slice), out, first, rows, scratch[worker]));
      return;
    }
    for (var slice : slices) {
      multiply(linear.source(), slice, out, first, rows, scratch[0]);
    }
  }

  /** Copies x to where vectors find it without checks, in its new order, filled up with zeros. */
  private void read(Rows x, int first, int rows, int[] order) {
    int stride = Lanes.stride(x.width());
    activations = Lanes.room(activations, rows * stride);
    for (int row = 0; row < rows; row++) {
      int to = row * stride;
      if (order.length == 0) {
        MemorySegment.copy(
            x.segment(), JAVA_FLOAT, 4 * x.start(first + row), activations, to, x.width());
      } else {
        for (int i = 0; i < order.length; i++) {
          activations[to + i] = x.get(first + row, order[i]);
        }
      }
      Lanes.pad(activations, to, x.width(), stride);
    }
  }

  private void multiply(
      MatrixLinear linear, VectorLinear.Slice slice, Rows out, int first, int rows, Scratch s) {
    int width = linear.in();
    int stride = Lanes.stride(width);
    s.first = first;
    s.stride = stride;
    s.length = Lanes.padded(width);
    s.weights = Lanes.room(s.weights, ROWS * stride);
    s.spare = Lanes.room(s.spare, Math.max(width, VectorMatrix.SPARE));
    int panel = Math.max(BLOCK, PANEL_NUMBERS / stride / BLOCK * BLOCK);
    for (int token = 0; token < rows; token += panel) {
      int end = Math.min(rows, token + panel);
      for (int row = slice.first(); row < slice.end(); row += ROWS) {
        s.output = slice.output() + row;
        s.count = Math.min(ROWS, slice.end() - row);
        for (int r = 0; r < s.count; r++) {
          slice.matrix().decode(row + r, s.weights, r * stride, stride, s.spare);
        }
        multiply(linear.bias(), out, token, end, s);
      }
    }
  }

  private void multiply(float @Nullable [] bias, Rows out, int first, int end, Scratch s) {
    int token = first;
    int stride = s.stride;
    for (; token + BLOCK <= end; token += BLOCK) {
      for (int row = 0; row < s.count; row += BLOCK) {
        VectorBlock.fourByFour(
            s.weights, row * stride, activations, token * stride, stride, s.length, s.lanes);
        Lanes.fold(s.lanes, BLOCK * BLOCK, s.results);
        for (int i = 0; i < BLOCK * BLOCK && row + i / BLOCK < s.count; i++) {
          write(s.output + row + i / BLOCK, bias, out, s.first + token + i % BLOCK, s.results[i]);
        }
      }
    }
    for (; token < end; token++) {
      VectorBlock.eightByOne(s.weights, 0, activations, token * stride, stride, s.length, s.lanes);
      Lanes.fold(s.lanes, s.count, s.results);
      for (int row = 0; row < s.count; row++) {
        write(s.output + row, bias, out, s.first + token, s.results[row]);
      }
    }
  }

  private static void write(
      int output, float @Nullable [] bias, Rows out, int token, float result) {
    out.set(token, output, bias == null ? result : result + bias[output]);
  }
}
