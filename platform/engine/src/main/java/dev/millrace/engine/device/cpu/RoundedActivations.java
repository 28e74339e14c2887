package dev.millrace.engine.device.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The rows that a product multiplies, rounded to BF16 as {@code bfloat.c} or {@code tiled.c} takes
 * them, and room for the weights that it decodes. Reused by every product; engine thread.
 */
final class RoundedActivations {
  /** Numbers that one thread rounds sooner than two agree on who does what. */
  private static final int ALONE = 16_384;

  /** Columns that the kernels multiply at a time, and those that they decode at a time. */
  private static final int RUN = 32;

  private static final int NIBBLES = 128;

  /** Bytes of numbers that a run has beside its columns, in the order for nibbles. */
  private static final int BEGINNINGS = 4 * Float.BYTES;

  /** Rows that kernels may put into tiles together. */
  private static final int TILE_ROWS = 16;

  private final NativeFunctions functions;
  private final Workers workers;
  private final MemorySegment[] scratch;
  private MemorySegment plain = MemorySegment.NULL;
  private MemorySegment nibbles = MemorySegment.NULL;

  RoundedActivations(NativeFunctions functions, Workers workers) {
    this.functions = functions;
    this.workers = workers;
    this.scratch = new MemorySegment[workers.count()];
    Arrays.fill(scratch, MemorySegment.NULL);
  }

  /** Rounds rows for one kind of operand; good until the next call for that. */
  void round(Operand operand, Rows x, int rows) {
    long rowBytes = Short.BYTES * padded(x.width());
    for (int i = 0; i < scratch.length; i++) {
      scratch[i] = Scratch.atLeast(scratch[i], NativeLinear.MOST_SLICE_ROWS * rowBytes);
    }
    if (operand == Operand.ROUNDED_FOR_NIBBLES) {
      nibbles = Scratch.atLeast(nibbles, wholeTiles(rows) * (rowBytes + beginningBytes(x.width())));
      round(x, nibbles.address(), true, rows);
    } else {
      plain = Scratch.atLeast(plain, wholeTiles(rows) * rowBytes);
      round(x, plain.address(), false, rows);
    }
  }

  private void round(Rows x, long address, boolean forNibbles, int rows) {
    int perSlice = wholeTiles(Math.max(1, ALONE / x.width()));
    if (rows <= perSlice) {
      functions.roundRows(x, address, forNibbles, 0, rows);
    } else {
      workers.run(
          Math.ceilDiv(rows, perSlice),
          (slice, _) ->
              functions.roundRows(
                  x,
                  address,
                  forNibbles,
                  slice * perSlice,
                  Math.min(rows, (slice + 1) * perSlice)));
    }
  }

  /** Address of the first rounded row. */
  long rounded(Operand operand) {
    return (operand == Operand.ROUNDED_FOR_NIBBLES ? nibbles : plain).address();
  }

  /** Address of memory for the decoded weights of a slice. */
  long scratch(int worker) {
    return scratch[worker].address();
  }

  private static int wholeTiles(int rows) {
    return Math.ceilDiv(rows, TILE_ROWS) * TILE_ROWS;
  }

  /** Numbers in a rounded row: {@code padded} of {@code rounded.h}. */
  private static long padded(int columns) {
    return (long) Math.ceilDiv(columns, NIBBLES) * NIBBLES + RUN;
  }

  /**
   * Bytes behind a row in the order for nibbles: those of {@code banded} of {@code
   * rounded_bands.h}.
   */
  private static long beginningBytes(int columns) {
    return (long) Math.ceilDiv(columns, NIBBLES) * (NIBBLES / RUN) * BEGINNINGS;
  }
}
