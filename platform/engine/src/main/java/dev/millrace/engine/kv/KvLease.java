package dev.millrace.engine.kv;

import java.util.Arrays;
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

  private static final long NOBODY = Long.MAX_VALUE;

  private final BlockPool pool;
  private final long root;
  private final BlockTable table = new BlockTable();
  private boolean attached;
  private boolean mayRead = true;
  private int fork;

  // detached: full blocks that are cached, and one more whose beginning is
  private int[] matched = new int[4];
  private long[] contents = new long[4];
  private int matchedSize;
  private int tail = -1;
  private int tailTokens;
  private long seen = -1;

  // attached: blocks whose content was described, and the id of the last content
  private int described;
  private long content;
  private int copySource = -1;

  /**
   * A lease of nothing.
   *
   * @param root whose blocks may be shared; null: nobody's, and nobody shares this one's
   */
  public KvLease(BlockPool pool, @Nullable CacheRoot root) {
    this.pool = pool;
    this.root = root == null ? NOBODY : root.id();
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
    mayRead = allowed;
    seen = -1;
  }

  /**
   * Names the place where this sequence leaves another one, whose last block is cached up to here.
   *
   * @param tokens of the common beginning
   */
  public void forkAt(int tokens) {
    fork = tokens;
    seen = -1;
  }

  /**
   * Detached: how many of the tokens are cached, at most all but one, since the last must be
   * computed to give logits.
   */
  public int tokens(int[] sequence, int total) {
    match(sequence, total);
    return matchedSize * pool.blockSize() + tailTokens;
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
    match(sequence, total);
    int shared = 0;
    for (int i = 0; i < matchedSize; i++) {
      if (pool.holders(matched[i]) > 1) {
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
    int tokens = tokens(sequence, total);
    for (int i = 0; i < matchedSize; i++) {
      pool.hold(matched[i]);
      table.append(matched[i]);
    }
    described = matchedSize;
    content = matchedSize == 0 ? root : contents[matchedSize - 1];
    if (tail >= 0) {
      if (pool.holders(tail) == 0) {
        pool.hold(tail); // nobody else writes to it
        table.append(tail);
      } else {
        copySource = tail;
      }
    }
    attached = true;
    return tokens;
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
      copySource = -1;
    }
    pool.grow(table, tokens);
  }

  /** Tells the cache what full blocks hold now that so many tokens are computed. */
  public void computed(int[] sequence, int tokens) {
    if (root == NOBODY) {
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
    int rest = tokens - described * pool.blockSize();
    if (root != NOBODY && rest > 0) {
      int from = tokens - rest;
      if (pool.index().find(content, sequence, from, rest) < 0) {
        pool.describe(table.block(described), content, sequence, from, rest);
      }
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
    copySource = -1;
    seen = -1;
  }

  /** Brings the match up to date, from where it ended last time. */
  private void match(int[] sequence, int total) {
    if (seen == pool.changes()) {
      return;
    }
    seen = pool.changes();
    tail = -1;
    tailTokens = 0;
    int valid = 0;
    while (valid < matchedSize && pool.index().id(matched[valid]) == contents[valid]) {
      valid++;
    }
    matchedSize = mayRead ? valid : 0;
    if (root == NOBODY || !mayRead) {
      return;
    }
    int size = pool.blockSize();
    int found = next(sequence, total, size);
    while (found >= 0 && (matchedSize + 1) * size < total) {
      add(found);
      found = next(sequence, total, size);
    }
    if (found >= 0) { // all is cached; the last token is computed again in a block of its own
      tail = size > 1 ? found : -1;
      tailTokens = size - 1;
    } else if (fork > matchedSize * size && fork - matchedSize * size < size && fork < total) {
      tail = next(sequence, total, fork - matchedSize * size);
      tailTokens = tail < 0 ? 0 : fork - matchedSize * size;
    }
  }

  private int next(int[] sequence, int total, int length) {
    int from = matchedSize * pool.blockSize();
    long parent = matchedSize == 0 ? root : contents[matchedSize - 1];
    return from + length > total ? -1 : pool.index().find(parent, sequence, from, length);
  }

  private void add(int block) {
    if (matchedSize == matched.length) {
      matched = Arrays.copyOf(matched, 2 * matchedSize);
      contents = Arrays.copyOf(contents, 2 * matchedSize);
    }
    matched[matchedSize] = block;
    contents[matchedSize++] = pool.index().id(block);
  }
}
