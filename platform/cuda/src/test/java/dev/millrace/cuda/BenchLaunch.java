package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A kernel with its grid and arguments, to be put into a stream again and again. */
record BenchLaunch(KernelModules.Kernel kernel, int x, int y, int z, MemorySegment arguments) {

  /** A grid of blocks of so many threads, without dynamic shared memory. */
  record Grid(int x, int y, int z, int threads, int shared) {
    static Grid of(int x, int y, int threads) {
      return new Grid(x, y, 1, threads, 0);
    }

    Grid shared(int bytes) {
      return new Grid(x, y, z, threads, bytes);
    }
  }

  /**
   * A launch whose arguments live in an arena.
   *
   * @param arguments Integer, Long (an address too) or Float, of the kernel's sizes
   */
  static BenchLaunch of(
      KernelModules kernels, Arena arena, String symbol, Grid grid, Object... arguments) {
    var addresses = arena.allocate(ADDRESS, arguments.length);
    for (int i = 0; i < arguments.length; i++) {
      var value = arena.allocate(JAVA_LONG);
      switch (arguments[i]) {
        case Integer v -> value.set(JAVA_INT, 0, v);
        case Long v -> value.set(JAVA_LONG, 0, v);
        case Float v -> value.set(JAVA_FLOAT, 0, v);
        default -> throw new IllegalArgumentException("no kernel takes " + arguments[i]);
      }
      addresses.setAtIndex(ADDRESS, i, value);
    }
    var kernel = kernels.kernel(symbol, grid.threads, grid.shared, arena);
    return new BenchLaunch(kernel, grid.x, grid.y, grid.z, addresses);
  }

  void put(long stream) {
    DriverCalls.launch(kernel.configuration().of(x, y, z, stream), kernel.function(), arguments);
  }
}
