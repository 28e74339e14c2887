package dev.millrace.engine.kv;

import java.util.Arrays;

/**
 * Blocks that nobody holds, in the order in which they are taken: those without content first, then
 * cached ones, the longest unused first. Any block can be taken out of turn.
 */
final class FreeList {
  private static final int OUTSIDE = -2;
  private static final int NONE = -1;

  private final int[] next;
  private final int[] previous;
  private int first = NONE;
  private int last = NONE;
  private int size;

  /** Holds the blocks from 0 to total − 1, in this order. */
  FreeList(int total) {
    next = new int[total];
    previous = new int[total];
    Arrays.fill(next, OUTSIDE);
    for (int block = 0; block < total; block++) {
      addLast(block);
    }
  }

  int size() {
    return size;
  }

  boolean contains(int block) {
    return next[block] != OUTSIDE;
  }

  /** The block to be taken next; there must be one. */
  int first() {
    return first;
  }

  void addFirst(int block) {
    next[block] = first;
    previous[block] = NONE;
    if (first == NONE) {
      last = block;
    } else {
      previous[first] = block;
    }
    first = block;
    size++;
  }

  void addLast(int block) {
    next[block] = NONE;
    previous[block] = last;
    if (last == NONE) {
      first = block;
    } else {
      next[last] = block;
    }
    last = block;
    size++;
  }

  void remove(int block) {
    int before = previous[block];
    int after = next[block];
    if (before == NONE) {
      first = after;
    } else {
      next[before] = after;
    }
    if (after == NONE) {
      last = before;
    } else {
      previous[after] = before;
    }
    next[block] = OUTSIDE;
    size--;
  }
}
