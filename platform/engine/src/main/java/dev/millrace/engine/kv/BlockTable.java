package dev.millrace.engine.kv;

import java.util.Arrays;

/** The blocks of one sequence, in the order of its tokens. Owned by the engine thread. */
public final class BlockTable {
  private int[] blocks = new int[4];
  private int size;

  public int size() {
    return size;
  }

  public int block(int index) {
    return blocks[index];
  }

  /** The live array; entries from {@link #size()} on mean nothing. */
  public int[] array() {
    return blocks;
  }

  void append(int block) {
    if (size == blocks.length) {
      blocks = Arrays.copyOf(blocks, 2 * size);
    }
    blocks[size++] = block;
  }

  int removeLast() {
    return blocks[--size];
  }
}
