package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.millrace.engine.batch.StepBatch;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a step is told: tokens, positions and sequences of its rows, picked rows, block tables, and
 * blocks to be copied. One block of pinned memory, one upload. It grows with the largest step; then
 * its addresses change. Engine thread.
 */
final class StepInput implements Owned.Closing {
  private static final int PADDING = -1;

  private final int blockSize;
  private int rows = 64;
  private int sequences = 16;
  private int tableStride = 16;
  private int copies = 16;
  private @Nullable PinnedMemory pinned;
  private @Nullable Memory device;

  /**
   * Room for a small step.
   *
   * @param blockSize tokens per KV block
   */
  StepInput(int blockSize) {
    this.blockSize = blockSize;
    allocate();
  }

  /** Layout, in numbers: tokens, positions, sequences, picks; copies; tables. */
  private long bytes() {
    return Integer.BYTES * (tablesStart() + (long) sequences * tableStride);
  }

  private long copiesStart() {
    return 4L * rows;
  }

  private long tablesStart() {
    return copiesStart() + 2L * copies;
  }

  /** Whether there was room; if not, all addresses have changed. */
  boolean ensure(StepBatch batch) {
    int table = 1;
    for (int row = 0; row < batch.rows(); row++) {
      table = Math.max(table, batch.position(row) / blockSize + 1);
    }
    return ensure(batch.rows(), batch.sequences(), table, batch.copies());
  }

  /** As {@link #ensure(StepBatch)}, for a step of these sizes. */
  boolean ensure(int someRows, int someSequences, int table, int someCopies) {
    if (device != null
        && someRows <= rows
        && someSequences <= sequences
        && table <= tableStride
        && someCopies <= copies) {
      return true;
    }
    close();
    rows = larger(rows, someRows);
    sequences = larger(sequences, someSequences);
    tableStride = larger(tableStride, table);
    copies = larger(copies, someCopies);
    allocate();
    return false;
  }

  /** Leaves nothing behind if it fails; the next step then tries again. */
  private void allocate() {
    var host = new PinnedMemory(bytes());
    try {
      device = new Memory(bytes(), "the input of a step");
      pinned = host;
    } catch (RuntimeException | Error e) {
      host.close();
      throw e;
    }
  }

  private static int larger(int have, int want) {
    return want <= have ? have : Math.max(want, 2 * have);
  }

  /**
   * Writes a batch and puts its upload into the stream, which must have done what it had.
   *
   * @param padded rows that the step runs with; those beyond the batch's are nobody's
   */
  void upload(StepBatch batch, int padded, long stream) {
    var to = Objects.requireNonNull(pinned).segment();
    for (int row = 0; row < padded; row++) {
      boolean real = row < batch.rows();
      put(to, row, real ? batch.token(row) : PADDING);
      put(to, rows + row, real ? batch.position(row) : PADDING);
      put(to, 2L * rows + row, real ? batch.sequence(row) : 0);
    }
    for (int pick = 0; pick < batch.picks(); pick++) {
      put(to, 3L * rows + pick, batch.pickedRow(pick));
    }
    for (int i = 0; i < batch.copies(); i++) {
      put(to, copiesStart() + 2L * i, batch.copySource(i));
      put(to, copiesStart() + 2L * i + 1, batch.copyTarget(i));
    }
    int written = 0;
    for (int row = 0; row < batch.rows(); row++) {
      int sequence = batch.sequence(row);
      if (row + 1 == batch.rows() || batch.sequence(row + 1) != sequence) {
        writeTable(to, sequence, batch.blockTable(row), batch.position(row));
        written = sequence + 1;
      }
    }
    long used = Integer.BYTES * (tablesStart() + (long) written * tableStride);
    DriverCalls.upload(address(), to, used, stream);
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

  long tokens() {
    return address();
  }

  long positions() {
    return address() + 4L * rows;
  }

  long sequences() {
    return address() + 8L * rows;
  }

  /** Address of the picked rows, from this pick on. */
  long picks(int first) {
    return address() + 12L * rows + 4L * first;
  }

  long copies() {
    return address() + Integer.BYTES * copiesStart();
  }

  long tables() {
    return address() + Integer.BYTES * tablesStart();
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
