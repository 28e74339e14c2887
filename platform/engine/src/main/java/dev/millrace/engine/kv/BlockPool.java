package dev.millrace.engine.kv;

import java.util.BitSet;

/**
 * The blocks of the KV cache: which are free, which are held. Every block has at most one holder.
 * Owned by the engine thread.
 */
public final class BlockPool {
  private final int blockSize;
  private final int total;
  private final int[] free;
  private int freeCount;

  /**
   * A pool with all blocks free.
   *
   * @param total blocks
   * @param blockSize tokens per block
   */
  public BlockPool(int total, int blockSize) {
    this.total = total;
    this.blockSize = blockSize;
    this.free = new int[total];
    this.freeCount = total;
    for (int i = 0; i < total; i++) {
      free[i] = total - 1 - i; // block 0 is taken first
    }
  }

  public int blockSize() {
    return blockSize;
  }

  public int total() {
    return total;
  }

  public int free() {
    return freeCount;
  }

  /** Blocks that hold so many tokens. */
  public int blocksFor(int tokens) {
    return Math.ceilDiv(tokens, blockSize);
  }

  /**
   * Lengthens the table until it holds so many tokens.
   *
   * @throws IllegalStateException if too few blocks are free; the plan should have been refused
   */
  public void grow(BlockTable table, int tokens) {
    int missing = blocksFor(tokens) - table.size();
    if (missing > freeCount) {
      throw new IllegalStateException(missing + " blocks wanted, " + freeCount + " free");
    }
    for (int i = 0; i < missing; i++) {
      table.append(free[--freeCount]);
    }
  }

  /** Takes back all blocks of the table. */
  public void release(BlockTable table) {
    while (table.size() > 0) {
      free[freeCount++] = table.removeLast();
    }
  }

  /**
   * Proves that free and held blocks are all there are, each once.
   *
   * @throws IllegalStateException naming the first block that is lost or counted twice
   */
  public void checkIntegrity(Iterable<BlockTable> held) {
    var seen = new BitSet(total);
    for (int i = 0; i < freeCount; i++) {
      mark(seen, free[i], "free");
    }
    for (var table : held) {
      for (int i = 0; i < table.size(); i++) {
        mark(seen, table.block(i), "held");
      }
    }
    if (seen.cardinality() != total) {
      throw new IllegalStateException("block " + seen.nextClearBit(0) + " is lost");
    }
  }

  private static void mark(BitSet seen, int block, String where) {
    if (seen.get(block)) {
      throw new IllegalStateException("block " + block + " is " + where + " and somewhere else");
    }
    seen.set(block);
  }
}
