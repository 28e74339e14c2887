package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A kernel with its parameters, to be launched again and again for other numbers of rows. */
final class Launch {
  /** No parameter says how many rows there are. */
  private static final int NONE = -1;

  private final long function;
  private final int threads;
  private final int shared;
  private final MemorySegment values;
  private final MemorySegment addresses;
  private int count;
  private int rowsAt = NONE;
  private Extent x = _ -> 1;
  private Extent y = _ -> 1;

  /** A number of blocks, which may follow from the number of rows. */
  interface Extent {
    int at(int rows);
  }

  /**
   * A launch without parameters yet.
   *
   * @param parameters how many there will be
   * @param arena that the parameters lie in
   */
  Launch(long function, int threads, int shared, int parameters, Arena arena) {
    this.function = function;
    this.threads = threads;
    this.shared = shared;
    this.values = arena.allocate(JAVA_LONG, parameters);
    this.addresses = arena.allocate(ADDRESS, parameters);
  }

  Launch grid(Extent blocksX, Extent blocksY) {
    this.x = blocksX;
    this.y = blocksY;
    return this;
  }

  Launch pointer(long address) {
    values.setAtIndex(JAVA_LONG, next(), address);
    return this;
  }

  Launch number(int value) {
    values.set(JAVA_INT, 8L * next(), value);
    return this;
  }

  Launch real(float value) {
    values.set(JAVA_FLOAT, 8L * next(), value);
    return this;
  }

  /** The number of rows that {@link #run} is told. */
  Launch rows() {
    rowsAt = next();
    return this;
  }

  private int next() {
    addresses.setAtIndex(ADDRESS, count, values.asSlice(8L * count));
    return count++;
  }

  /** Puts it into the stream; the parameters may change at once. */
  void run(int rows, long stream) {
    if (rowsAt != NONE) {
      values.set(JAVA_INT, 8L * rowsAt, rows);
    }
    DriverCalls.launch(function, x.at(rows), y.at(rows), 1, threads, shared, stream, addresses);
  }
}
