package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A kernel with its parameters. */
final class Launch implements Work {
  /** No parameter says how many rows there are. */
  private static final int NONE = -1;

  private final KernelModules.Kernel kernel;
  private final MemorySegment values;
  private final MemorySegment addresses;
  private int count;
  private int rowsAt = NONE;
  private Extent x = _ -> 1;
  private Extent y = _ -> 1;
  private int z = 1;

  /** A number of blocks, which may follow from the size of the step. */
  interface Extent {
    int at(StepSize size);
  }

  /**
   * A launch without parameters yet.
   *
   * @param parameters how many there will be
   * @param arena that the parameters lie in
   */
  Launch(KernelModules.Kernel kernel, int parameters, Arena arena) {
    this.kernel = kernel;
    this.values = arena.allocate(JAVA_LONG, parameters);
    this.addresses = arena.allocate(ADDRESS, parameters);
  }

  Launch grid(Extent blocksX, Extent blocksY) {
    this.x = blocksX;
    this.y = blocksY;
    return this;
  }

  /** As many layers of that grid. */
  Launch layers(int count) {
    this.z = count;
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

  /** The number of rows of the step. */
  Launch rows() {
    rowsAt = next();
    return this;
  }

  private int next() {
    addresses.setAtIndex(ADDRESS, count, values.asSlice(8L * count));
    return count++;
  }

  /** Puts it into the stream; the parameters may change at once. */
  @Override
  public void run(StepSize size, long stream) {
    if (rowsAt != NONE) {
      values.set(JAVA_INT, 8L * rowsAt, size.rows());
    }
    var configuration = kernel.configuration().of(x.at(size), y.at(size), z, stream);
    DriverCalls.launch(configuration, kernel.function(), addresses);
  }
}
