package dev.millrace.engine.device.cpu;

import java.lang.foreign.MemorySegment;

/**
 * The rows that a product multiplies, as the bytes that {@code quantise.c} makes of them. Reused by
 * every product; engine thread.
 */
final class QuantisedActivations {
  /** Numbers that one thread quantises sooner than two agree on who does what. */
  private static final int ALONE = 8_192;

  /** Columns of a tile, which is {@code struct activations} of {@code integers.h}. */
  private static final int TILE = 512;

  /**
   * A byte a column, then eight vectors of 16 numbers, and the room of one that keeps tiles apart.
   */
  private static final long TILE_BYTES = TILE + 9 * 16 * Float.BYTES;

  private final NativeFunctions functions;
  private final Workers workers;
  private MemorySegment tiles = MemorySegment.NULL;

  QuantisedActivations(NativeFunctions functions, Workers workers) {
    this.functions = functions;
    this.workers = workers;
  }

  /** Quantises rows; good until the next call. */
  void quantise(Rows x, int rows) {
    tiles = Scratch.atLeast(tiles, bytes(x.width(), rows));
    long address = tiles.address();
    int perSlice = Math.max(1, ALONE / x.width());
    if (rows <= perSlice) {
      functions.quantiseRows(x, address, 0, rows);
    } else {
      workers.run(
          Math.ceilDiv(rows, perSlice),
          (slice, _) ->
              functions.quantiseRows(
                  x, address, slice * perSlice, Math.min(rows, (slice + 1) * perSlice)));
    }
  }

  /** Address of the first row's first tile. */
  long address() {
    return tiles.address();
  }

  static long bytes(int width, int rows) {
    return rows * TILE_BYTES * Math.ceilDiv(width, TILE);
  }
}
