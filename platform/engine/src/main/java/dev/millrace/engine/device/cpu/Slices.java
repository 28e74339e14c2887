package dev.millrace.engine.device.cpu;

import dev.millrace.engine.device.cpu.NativeLinear.Slice;
import java.util.ArrayList;
import java.util.List;

/**
 * The rows of a product's weights, cut into slices that threads share.
 *
 * @param starts the first slice of each thread's run; then the number of slices
 */
record Slices(List<Slice> all, int[] starts) {
  /** Fewest rows of a slice, unless there are no more. */
  static final int LEAST = 32;

  /**
   * Rows that kernels without tiles take at a time divide this; a tile cut short only costs more.
   */
  static final int ROWS = 16;

  /** Of what is left of a run, the next slice is a third. */
  private static final int PART = 3;

  Slices {
    all = List.copyOf(all);
  }

  /** Slices of so many rows, and as many for each thread. */
  static Slices even(List<Slice> parts, int rows, int threads) {
    var slices = new ArrayList<Slice>();
    for (var part : parts) {
      for (int first = part.first(); first < part.end(); first += rows) {
        slices.add(part.rows(first, Math.min(part.end(), first + rows)));
      }
    }
    return new Slices(slices, Workers.starts(slices.size(), threads));
  }

  /**
   * As many rows for each thread, in slices that become smaller toward the end of its run: memory
   * is read longest in order, slices are few, and threads end at about the same time all the same
   * (guided self-scheduling: Polychronopoulos and Kuck, 1987).
   */
  static Slices tapering(List<Slice> parts, int threads) {
    int rows = parts.stream().mapToInt(part -> part.end() - part.first()).sum();
    int[] shares = Workers.starts(rows / ROWS, threads);
    var cursor = new Cursor(parts);
    int[] starts = new int[threads + 1];
    int done = 0;
    for (int thread = 0; thread < threads; thread++) {
      starts[thread] = cursor.slices.size();
      int end = thread + 1 == threads ? rows : shares[thread + 1] * ROWS;
      while (done < end) {
        int third = (end - done) / PART / ROWS * ROWS;
        int size = Math.min(end - done, Math.max(third, LEAST));
        cursor.take(size);
        done += size;
      }
    }
    starts[threads] = cursor.slices.size();
    return new Slices(cursor.slices, starts);
  }

  /** Takes rows of parts that follow one another; what crosses the end of a part is two slices. */
  private static final class Cursor {
    private final List<Slice> parts;
    private final List<Slice> slices = new ArrayList<>();
    private int part;
    private int taken;

    Cursor(List<Slice> parts) {
      this.parts = parts;
    }

    void take(int rows) {
      for (int left = rows; left > 0; ) {
        var from = parts.get(part);
        int first = from.first() + taken;
        int some = Math.min(left, from.end() - first);
        slices.add(from.rows(first, first + some));
        left -= some;
        taken += some;
        if (first + some == from.end()) {
          part++;
          taken = 0;
        }
      }
    }
  }
}
