package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.engine.batch.StepBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;

/** A step's positions and block tables as {@code struct step} of {@code attention.c} has them. */
final class NativeStep {
  private static final int FIELDS = 8;

  private final PagedKv kv;
  private final MemorySegment struct = Arena.ofAuto().allocate(JAVA_LONG, FIELDS);
  private MemorySegment positions = MemorySegment.NULL;
  private MemorySegment tables = MemorySegment.NULL;
  private MemorySegment blocks = MemorySegment.NULL;

  NativeStep(PagedKv kv) {
    this.kv = kv;
  }

  /** Address of the struct. */
  long address() {
    return struct.address();
  }

  /** Takes a batch over, and sees to it that its blocks have memory. */
  void fill(StepBatch batch) {
    int rows = batch.rows();
    positions = room(positions, JAVA_INT, rows);
    tables = room(tables, JAVA_LONG, rows);
    int used = 0;
    for (int row = 0; row < rows; ) {
      int[] table = batch.blockTable(row);
      int sequence = batch.sequence(row);
      int start = used;
      int position = batch.position(row);
      for (; row < rows && batch.sequence(row) == sequence; row++) {
        position = batch.position(row);
        positions.setAtIndex(JAVA_INT, row, position);
        tables.setAtIndex(JAVA_LONG, row, start);
      }
      used = copy(table, position / kv.blockSize() + 1, start);
    }
    set(0, positions.address());
    set(1, tables.address());
    set(2, blocks.address());
    set(3, kv.slabAddresses().address());
    set(4, PagedKv.SLAB_BLOCKS);
    set(5, kv.blockBytes());
    set(6, kv.blockSize());
    set(
        7,
        switch (kv.dtype()) {
          case FLOAT32 -> 0;
          case BFLOAT16 -> 1;
          case FLOAT16 -> 2;
          case FP8_E4M3 -> 3;
          case INT8 -> 4;
        });
  }

  private int copy(int[] table, int count, int start) {
    if (blocks.byteSize() < (long) Integer.BYTES * (start + count)) {
      var larger = room(MemorySegment.NULL, JAVA_INT, start + count);
      MemorySegment.copy(blocks, 0, larger, 0, (long) Integer.BYTES * start);
      blocks = larger;
    }
    for (int i = 0; i < count; i++) {
      kv.ensure(table[i]);
      blocks.setAtIndex(JAVA_INT, start + i, table[i]);
    }
    return start + count;
  }

  private static MemorySegment room(MemorySegment held, MemoryLayout element, long count) {
    return held.byteSize() >= element.byteSize() * count
        ? held
        : Scratch.atLeast(held, 2 * element.byteSize() * count);
  }

  private void set(int field, long value) {
    struct.setAtIndex(JAVA_LONG, field, value);
  }
}
