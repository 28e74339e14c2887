package dev.millrace.engine.kv;

import org.jspecify.annotations.Nullable;

/**
 * What one sequence holds of the KV cache, or could take over from what is cached. It begins
 * detached: then {@link #tokens} tells how much is found in the cache. Attached, it holds blocks;
 * once released it is detached again. Owned by the engine thread.
 *
 * <p>Blocks are shared by content: full blocks by several holders as they are, and the last, partly
 * filled one by a copy, since its holders go on differently (copy on write).
 */
public final class KvLease {
  /** Told of blocks that must be copied before the step writes anything. */
  @FunctionalInterface
  public interface BlockCopies {
    void copy(int source, int target);
  }

  private static final int NONE = -1;

  private final BlockPool pool;
  private final boolean shares;
  private final BlockTable table = new BlockTable();
  private final PrefixMatch match;
  private boolean attached;
  private int copySource = NONE;

  /** Blocks of the table whose content is known, and the id of the last content. */
  private int described;

  private long content;

  /**
   * A lease of nothing.
   *
   * @param root whose blocks may be shared; null: nobody's, and nobody shares this one's
   */
  public KvLease(BlockPool pool, @Nullable CacheRoot root) {
    this.pool = pool;
    this.shares = root != null;
    this.match = new PrefixMatch(pool, root == null ? 0 : root.id(), shares);
  }

  /** The blocks it holds. */
  public BlockTable table() {
    return table;
  }

  /** Whether it holds blocks. */
  public boolean attached() {
    return attached;
  }

  /** Whether cached blocks may be taken over; what it computes is cached all the same. */
  public void mayRead(boolean allowed) {
    match.enable(allowed && shares);
  }

  /**
   * Names the place where this sequence leaves another one, whose last block is cached up to here.
   *
   * @param tokens of the common beginning
   */
  public void forkAt(int tokens) {
    match.forkAt(tokens);
  }

  /** Detached: how many of the tokens are cached, at most all but one. */
  public int tokens(int[] sequence, int total) {
    match.update(sequence, total);
    return match.tokens();
  }

  /**
   * Blocks that cost the pool nothing: what is held, or, detached, cached blocks that at least two
   * others hold. One that a single sequence holds does not count, because the same plan may take it
   * away from there and count it as freed.
   */
  public int held(int[] sequence, int total) {
    if (attached) {
      return table.size();
    }
    match.update(sequence, total);
    int shared = 0;
    for (int i = 0; i < match.size(); i++) {
      if (pool.holders(match.block(i)) > 1) {
        shared++;
      }
    }
    return shared;
  }

  /** Blocks that become free if it is released. */
  public int freed() {
    int alone = 0;
    for (int i = 0; i < table.size(); i++) {
      if (pool.holders(table.block(i)) == 1) {
        alone++;
      }
    }
    return alone;
  }

  /**
   * Takes over what is cached; returns how many tokens that are. In a step, those that lose their
   * blocks come first, then all that attach, then all that grow: so none takes a block that another
   * counts on, and no block is overwritten that is yet to be copied.
   */
  public int attach(int[] sequence, int total) {
    match.update(sequence, total);
    for (int i = 0; i < match.size(); i++) {
      hold(match.block(i));
    }
    described = match.size();
    content = match.content();
    int tail = match.tail();
    if (tail >= 0 && pool.holders(tail) == 0) {
      hold(tail); // nobody else writes to it
    } else {
      copySource = tail;
    }
    attached = true;
    return match.tokens();
  }

  private void hold(int block) {
    pool.hold(block);
    table.append(block);
  }

  /**
   * Makes room for so many tokens.
   *
   * @throws IllegalStateException if too few blocks are free; the plan should have been refused
   */
  public void grow(int tokens, BlockCopies copies) {
    if (copySource >= 0) {
      int target = pool.take();
      table.append(target);
      copies.copy(copySource, target);
      copySource = NONE;
    }
    pool.grow(table, tokens);
  }

  /** Tells the cache what full blocks hold now that so many tokens are computed. */
  public void computed(int[] sequence, int tokens) {
    if (!shares) {
      return;
    }
    int size = pool.blockSize();
    while ((described + 1) * size <= tokens) {
      int from = described * size;
      int known = pool.index().find(content, sequence, from, size);
      content =
          known >= 0
              ? pool.index().id(known)
              : pool.describe(table.block(described), content, sequence, from, size);
      described++;
    }
  }

  /** Lets others find the last block, which is filled only so far, until more is written to it. */
  public void offerTail(int[] sequence, int tokens) {
    int from = described * pool.blockSize();
    int rest = tokens - from;
    if (shares && rest > 0 && pool.index().find(content, sequence, from, rest) < 0) {
      pool.describe(table.block(described), content, sequence, from, rest);
    }
  }

  /** Has nobody find what this sequence computed, because it may be wrong. */
  public void disown() {
    for (int i = 0; i < table.size(); i++) {
      pool.forget(table.block(i));
    }
  }

  /** Gives all blocks back. */
  public void release() {
    pool.release(table);
    attached = false;
    copySource = NONE;
  }
}
