package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.millrace.engine.batch.StepBatch;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a step is told: tokens, positions and sequences of its rows, picked rows, how they are
 * attended for, block tables, and blocks to be copied. One upload, of pinned memory that the step
 * before does not use. It grows with the largest step; then its addresses change. Engine thread.
 */
final class StepInput implements Owned.Closing {
  private static final int PADDING = -1;

  /** The token of a row that is drawn at pick 0 of the step before; one less for each pick more. */
  private static final int DRAWN = -2;

  /** Positions that the kernels take at a time; parts of a context are some times as long. */
  private static final int TILE = 64;

  private final int blockSize;
  private final AttentionShape attention;
  private int rows = 64;
  private int sequences = 16;
  private int tableStride = 16;
  private int copies = 16;
  private int[] contexts = {}; // of single rows, in tiles
  private @Nullable PinnedTurns pinned;
  private @Nullable Memory device;

  /**
   * How rows are shared out.
   *
   * @param rowsPerTile of one sequence that are attended for together; 0: none are
   * @param parts how contexts are cut
   * @param single whether a sequence with one row is attended for by parts of its context
   */
  record AttentionShape(int rowsPerTile, PartLength parts, boolean single) {
    static final AttentionShape PLAIN = new AttentionShape(0, new PartLength(1, 1), false);
  }

  /**
   * Room for a small step.
   *
   * @param blockSize tokens per KV block
   */
  StepInput(int blockSize, AttentionShape attention) {
    this.blockSize = blockSize;
    this.attention = attention;
    allocate();
  }

  /**
   * Layout, in numbers: tiles; tokens, positions, sequences, picks, single rows; length; copies;
   * tables.
   */
  private long bytes() {
    return Integer.BYTES * (tablesStart() + (long) sequences * tableStride);
  }

  private long rowsStart() {
    return 4L * rows;
  }

  private long lengthStart() {
    return 9L * rows;
  }

  /** Even, because copies are read in pairs. */
  private long copiesStart() {
    return (lengthStart() + 2) / 2 * 2;
  }

  private long tablesStart() {
    return copiesStart() + 2L * copies;
  }

  /** Whether no rows of a step will be attended for together. */
  boolean hasNoTiles(StepBatch batch) {
    return attention.rowsPerTile == 0 || (attention.single && batch.rows() == batch.sequences());
  }

  /** Whether there is room for a step of so many rows. */
  boolean holds(StepBatch batch, int padded) {
    return device != null
        && padded <= rows
        && batch.sequences() <= sequences
        && blocks(batch) <= tableStride
        && batch.copies() <= copies;
  }

  /** The most blocks that a sequence has. */
  private int blocks(StepBatch batch) {
    int last = 0;
    for (int row = 0; row < batch.rows(); row++) {
      last = Math.max(last, batch.position(row));
    }
    return last / blockSize + 1;
  }

  /** Makes room; all addresses change. */
  void grow(StepBatch batch, int padded) {
    grow(padded, batch.sequences(), blocks(batch), batch.copies());
  }

  /** As {@link #grow(StepBatch, int)}, for a step of these sizes. */
  void grow(int someRows, int someSequences, int table, int someCopies) {
    close();
    rows = larger(rows, someRows);
    sequences = larger(sequences, someSequences);
    tableStride = larger(tableStride, table);
    copies = larger(copies, someCopies);
    allocate();
  }

  /** Leaves nothing behind if it fails; the next step then tries again. */
  private void allocate() {
    var host = new PinnedTurns(bytes());
    try {
      device = new Memory(bytes(), "the input of a step");
      pinned = host;
      contexts = new int[rows];
    } catch (RuntimeException | Error e) {
      host.close();
      throw e;
    }
  }

  private static int larger(int have, int want) {
    return want <= have ? have : Math.max(want, 2 * have);
  }

  /**
   * Writes a batch and puts its upload into the stream.
   *
   * @param padded rows that the step runs with; those beyond the batch's are nobody's
   * @return what the step's launches depend on
   */
  StepSize upload(StepBatch batch, int padded, long stream) {
    var turns = Objects.requireNonNull(pinned);
    var to = turns.next();
    for (int row = 0; row < padded; row++) {
      boolean real = row < batch.rows();
      put(to, rowsStart() + row, real ? token(batch, row) : PADDING);
      put(to, rowsStart() + rows + row, real ? batch.position(row) : PADDING);
      put(to, rowsStart() + 2L * rows + row, real ? batch.sequence(row) : 0);
      put(to, rowsStart() + 4L * rows + row, PADDING);
    }
    for (int pick = 0; pick < batch.picks(); pick++) {
      put(to, rowsStart() + 3L * rows + pick, batch.pickedRow(pick));
    }
    for (int i = 0; i < batch.copies(); i++) {
      put(to, copiesStart() + 2L * i, batch.copySource(i));
      put(to, copiesStart() + 2L * i + 1, batch.copyTarget(i));
    }
    var size = writeSequences(batch, padded, to);
    long used = Integer.BYTES * (tablesStart() + (long) batch.sequences() * tableStride);
    DriverCalls.upload(address(), to, used, stream);
    turns.passOn(stream);
    return size;
  }

  private static int token(StepBatch batch, int row) {
    int pick = batch.drawnAt(row);
    return pick < 0 ? batch.token(row) : DRAWN - pick;
  }

  private StepSize writeSequences(StepBatch batch, int padded, MemorySegment to) {
    int tiles = 0;
    int singles = 0;
    int first = 0;
    for (int row = 0; row < batch.rows(); row++) {
      int sequence = batch.sequence(row);
      if (row + 1 < batch.rows() && batch.sequence(row + 1) == sequence) {
        continue;
      }
      writeTable(to, sequence, batch.blockTable(row), batch.position(row));
      if (attention.single && row == first) {
        put(to, rowsStart() + 4L * rows + row, batch.position(row));
        contexts[singles++] = batch.position(row) / TILE + 1;
      } else if (attention.rowsPerTile > 0) {
        tiles = writeTiles(to, tiles, first, row + 1, sequence);
      }
      first = row + 1;
    }
    int length = attention.parts.of(contexts, singles, DecodeScratch.parts(singles));
    put(to, lengthStart(), TILE * length);
    return new StepSize(padded, singles > 0, tiles);
  }

  private int writeTiles(MemorySegment to, int tiles, int first, int end, int sequence) {
    int tile = tiles;
    for (int row = first; row < end; row += attention.rowsPerTile) {
      put(to, 4L * tile, row);
      put(to, 4L * tile + 1, Math.min(attention.rowsPerTile, end - row));
      put(to, 4L * tile + 2, sequence);
      put(to, 4L * tile + 3, 0);
      tile++;
    }
    return tile;
  }

  private void writeTable(MemorySegment to, int sequence, int[] blocks, int lastPosition) {
    int count = lastPosition / blockSize + 1;
    long start = Integer.BYTES * (tablesStart() + (long) sequence * tableStride);
    MemorySegment.copy(blocks, 0, to, JAVA_INT, start, count);
  }

  private static void put(MemorySegment to, long index, int value) {
    to.setAtIndex(JAVA_INT, index, value);
  }

  private long address() {
    return Objects.requireNonNull(device).address();
  }

  private long at(long number) {
    return address() + Integer.BYTES * number;
  }

  /** Address of the tiles of the attention. */
  long tiles() {
    return address();
  }

  long tokens() {
    return at(rowsStart());
  }

  long positions() {
    return at(rowsStart() + rows);
  }

  long sequences() {
    return at(rowsStart() + 2L * rows);
  }

  /** Address of the picked rows, from this pick on. */
  long picks(int first) {
    return at(rowsStart() + 3L * rows + first);
  }

  /** Address of the positions of rows that are attended for one by one. */
  long single() {
    return at(rowsStart() + 4L * rows);
  }

  /** Address of the length of the parts of their contexts. */
  long partLength() {
    return at(lengthStart());
  }

  long copies() {
    return at(copiesStart());
  }

  long tables() {
    return at(tablesStart());
  }

  int tableStride() {
    return tableStride;
  }

  @Override
  public void close() {
    if (pinned != null && device != null) {
      pinned.close();
      device.close();
    }
    pinned = null;
    device = null;
  }
}
