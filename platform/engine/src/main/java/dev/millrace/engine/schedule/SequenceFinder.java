package dev.millrace.engine.schedule;

import dev.millrace.spi.schedule.SequenceView;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds sequences of one list by id, each once. Ids that are asked for in the order of the list are
 * found without looking; for others a table is filled, which is kept and used again. The list must
 * not change meanwhile. One thread.
 */
public final class SequenceFinder<S extends SequenceView> {
  private List<S> list = List.of();
  private int next;
  private boolean filled;
  private long[] ids = new long[16];
  private int[] indexes = new int[16]; // index in the list + 1; 0: empty
  private boolean[] taken = new boolean[16];

  /** Begins with a list. */
  public void search(List<S> sequences) {
    list = sequences;
    next = 0;
    filled = false;
  }

  /** The sequence, or null if there is none. */
  public @Nullable S find(long id) {
    if (next < list.size() && list.get(next).id() == id) {
      return list.get(next);
    }
    if (list.isEmpty()) {
      return null;
    }
    int slot = slot(id); // may make the table
    int index = indexes[slot] - 1;
    return index < 0 ? null : list.get(index);
  }

  /** Takes a sequence that is in the list; false if it was taken before. */
  public boolean take(long id) {
    if (!filled && next < list.size() && list.get(next).id() == id) {
      next++;
      return true;
    }
    int slot = slot(id);
    boolean first = !taken[slot] && indexes[slot] > next; // those before were taken in order
    taken[slot] = true;
    return first;
  }

  private int slot(long id) {
    if (!filled) {
      fill();
    }
    int mask = ids.length - 1;
    int slot = (int) ((id * 0x9E3779B97F4A7C15L) >>> 40) & mask;
    while (indexes[slot] != 0 && ids[slot] != id) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private void fill() {
    filled = true;
    if (ids.length < 2 * list.size()) {
      int length = Integer.highestOneBit(list.size()) * 4;
      ids = new long[length];
      indexes = new int[length];
      taken = new boolean[length];
    } else {
      Arrays.fill(indexes, 0);
      Arrays.fill(taken, false);
    }
    for (int i = 0; i < list.size(); i++) {
      long id = list.get(i).id();
      int slot = slot(id);
      ids[slot] = id;
      indexes[slot] = i + 1;
    }
  }
}
