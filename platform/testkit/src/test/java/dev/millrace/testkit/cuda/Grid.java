package dev.millrace.testkit.cuda;

/** A grid, its blocks and their dynamic shared memory in bytes. */
record Grid(int x, int y, int z, int threads, long shared) {
  static Grid of(int x, int y) {
    return new Grid(x, y, 1, 256, 0);
  }

  static Grid of(int x) {
    return of(x, 1);
  }

  Grid threads(int count) {
    return new Grid(x, y, z, count, shared);
  }

  Grid shared(long bytes) {
    return new Grid(x, y, z, threads, bytes);
  }
}
