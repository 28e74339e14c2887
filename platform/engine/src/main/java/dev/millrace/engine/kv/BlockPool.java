package dev.millrace.engine.kv;

import java.util.Arrays;

/**
 * The blocks of the KV cache: who holds which, and what they hold. A block may have several
 * holders, and one that nobody holds keeps its content until it is needed for something else. Owned
 * by the engine thread.
 */
public final class BlockPool {
  private final int blockSize;
  private final int[] holders;
  private final FreeList free;
  private final PrefixIndex index;
  private long changes;

  /**
   * A pool with all blocks free.
   *
   * @param total blocks
   * @param blockSize tokens per block
   */
  public BlockPool(int total, int blockSize) {
    this.blockSize = blockSize;
    this.holders = new int[total];
    this.free = new FreeList(total); // block 0 is taken first
    this.index = new PrefixIndex(total, blockSize);
  }

  public int blockSize() {
    return blockSize;
  }

  public int total() {
    return holders.length;
  }

  /** Blocks that nobody holds, with content or without. */
  public int free() {
    return free.size();
  }

  /** Blocks that hold so many tokens. */
  public int blocksFor(int tokens) {
    return Math.ceilDiv(tokens, blockSize);
  }

  PrefixIndex index() {
    return index;
  }

  /** Grows whenever a block changes hands or content, so that answers can be kept until then. */
  long changes() {
    return changes;
  }

  int holders(int block) {
    return holders[block];
  }

  /**
   * Lengthens the table until it holds so many tokens.
   *
   * @throws IllegalStateException if too few blocks are free; the plan should have been refused
   */
  public void grow(BlockTable table, int tokens) {
    int missing = blocksFor(tokens) - table.size();
    if (missing > free.size()) {
      throw new IllegalStateException(missing + " blocks wanted, " + free.size() + " free");
    }
    for (int i = 0; i < missing; i++) {
      table.append(take());
    }
  }

  /** A block to write to; its content is forgotten. At least one must be free. */
  int take() {
    int block = free.first();
    if (block < 0) {
      throw new IllegalStateException("1 block wanted, 0 free");
    }
    forget(block);
    hold(block);
    return block;
  }

  /** Counts one holder more. */
  void hold(int block) {
    changes++;
    if (holders[block]++ == 0) {
      free.remove(block);
    }
  }

  /** Takes back all blocks of the table: the last first, so that beginnings stay cached longest. */
  public void release(BlockTable table) {
    while (table.size() > 0) {
      drop(table.removeLast());
    }
  }

  /** Counts one holder less. */
  private void drop(int block) {
    changes++;
    if (--holders[block] > 0) {
      return;
    }
    if (index.has(block)) {
      free.addLast(block);
    } else {
      free.addFirst(block);
    }
  }

  /** Says what a block holds; what was said of it before is void. */
  long describe(int block, long parent, int[] tokens, int from, int length) {
    changes++;
    forget(block);
    return index.put(block, parent, tokens, from, length);
  }

  /** Has nobody find the block by its content any more. */
  void forget(int block) {
    if (index.has(block)) {
      changes++;
      index.forget(block);
    }
  }

  /** Forgets what all blocks hold, because it may be wrong. */
  public void forgetAll() {
    for (int block = 0; block < holders.length; block++) {
      forget(block);
    }
  }

  /**
   * Proves that every block is either free or held by just those tables that list it.
   *
   * @throws IllegalStateException naming the first block that is not
   */
  public void checkIntegrity(Iterable<BlockTable> held) {
    int[] listed = new int[holders.length];
    for (var table : held) {
      for (int i = 0; i < table.size(); i++) {
        listed[table.block(i)]++;
      }
    }
    for (int block = 0; block < holders.length; block++) {
      if (listed[block] != holders[block] || free.contains(block) == (holders[block] > 0)) {
        throw new IllegalStateException(
            "block %d has %d holders and is in %d tables; it is %s"
                .formatted(
                    block,
                    holders[block],
                    listed[block],
                    free.contains(block) ? "free" : "not free"));
      }
    }
    int inUse = (int) Arrays.stream(holders).filter(count -> count > 0).count();
    if (free.size() + inUse != holders.length) {
      throw new IllegalStateException(
          "%d blocks are free and %d held, of %d".formatted(free.size(), inUse, holders.length));
    }
  }
}
