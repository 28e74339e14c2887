package dev.millrace.engine.kv;

import java.util.Arrays;

/**
 * Finds blocks by what they hold. A block's content is a chain: the content before it and its own
 * tokens. Each content has an id that is never used again, so what is found was computed from just
 * these tokens: nothing rests on a hash being unique.
 */
final class PrefixIndex {
  private static final long NO_CONTENT = 0;

  private final int blockSize;
  private final int[] tokens;
  private final int[] lengths;
  private final long[] parents;
  private final long[] ids;
  private final int[] slots; // open addressing: block + 1, or 0
  private long lastId;

  PrefixIndex(int blocks, int blockSize) {
    this.blockSize = blockSize;
    this.tokens = new int[Math.multiplyExact(blocks, blockSize)];
    this.lengths = new int[blocks];
    this.parents = new long[blocks];
    this.ids = new long[blocks];
    this.slots = new int[2 * Integer.highestOneBit(blocks) * 2];
  }

  boolean has(int block) {
    return ids[block] != NO_CONTENT;
  }

  /** The id of a block's content; 0 if it has none. */
  long id(int block) {
    return ids[block];
  }

  /**
   * A block that holds these tokens behind the parent content, or −1.
   *
   * @param parent id of a content, or of a root
   * @param length at most the size of a block
   */
  int find(long parent, int[] sequence, int from, int length) {
    int slot = slot(hash(parent, sequence, from, length));
    while (slots[slot] != 0) {
      int block = slots[slot] - 1;
      if (parents[block] == parent
          && lengths[block] == length
          && Arrays.equals(
              tokens,
              block * blockSize,
              block * blockSize + length,
              sequence,
              from,
              from + length)) {
        return block;
      }
      slot = slot(slot + 1);
    }
    return -1;
  }

  /** Says what a block without content holds from now on; returns the id of the content. */
  long put(int block, long parent, int[] sequence, int from, int length) {
    System.arraycopy(sequence, from, tokens, block * blockSize, length);
    lengths[block] = length;
    parents[block] = parent;
    ids[block] = ++lastId;
    int slot = slot(hash(parent, sequence, from, length));
    while (slots[slot] != 0) {
      slot = slot(slot + 1);
    }
    slots[slot] = block + 1;
    return lastId;
  }

  /** A block's content is about to be overwritten. */
  void forget(int block) {
    int slot = slot(home(block));
    while (slots[slot] != block + 1) {
      slot = slot(slot + 1);
    }
    ids[block] = NO_CONTENT;
    close(slot);
  }

  /** Empties a slot, and moves up those that were put behind it only because it was taken. */
  private void close(int emptied) {
    int hole = emptied;
    slots[hole] = 0;
    for (int slot = slot(hole + 1); slots[slot] != 0; slot = slot(slot + 1)) {
      int home = slot(home(slots[slot] - 1));
      if (slot(slot - home) >= slot(slot - hole)) {
        slots[hole] = slots[slot];
        slots[slot] = 0;
        hole = slot;
      }
    }
  }

  private int home(int block) {
    return hash(parents[block], tokens, block * blockSize, lengths[block]);
  }

  private int slot(int hash) {
    return hash & (slots.length - 1);
  }

  private static int hash(long parent, int[] sequence, int from, int length) {
    long hash = parent * 0x9E3779B97F4A7C15L + length;
    for (int i = 0; i < length; i++) {
      hash = (hash ^ sequence[from + i]) * 0xD6E8FEB86659FD93L;
      hash ^= hash >>> 32;
    }
    return (int) hash;
  }
}
