package dev.millrace.engine.kv;

import java.util.Arrays;

/**
 * What is cached of the beginning of a sequence that waits: full blocks, and perhaps one more whose
 * beginning is. Kept from one question to the next, and brought up to date only when blocks have
 * changed. Engine thread.
 */
final class PrefixMatch {
  private static final int NONE = -1;

  private final BlockPool pool;
  private final long root;
  private int[] blocks = new int[4];
  private long[] contents = new long[4];
  private int size;
  private int tail = NONE;
  private int tailTokens;
  private int fork;
  private boolean enabled;
  private long seen = -1;

  /**
   * A match of nothing.
   *
   * @param root where the chain of contents begins
   * @param enabled whether anything may be found
   */
  PrefixMatch(BlockPool pool, long root, boolean enabled) {
    this.pool = pool;
    this.root = root;
    this.enabled = enabled;
  }

  void enable(boolean on) {
    enabled = on;
    seen = -1;
  }

  /** Another sequence offers its last block, which is filled up to here. */
  void forkAt(int tokens) {
    fork = tokens;
    seen = -1;
  }

  /** Full blocks that are cached. */
  int size() {
    return size;
  }

  int block(int index) {
    return blocks[index];
  }

  /** The content of the full blocks; the root if there are none. */
  long content() {
    return size == 0 ? root : contents[size - 1];
  }

  /** The block whose beginning is cached; −1: none. */
  int tail() {
    return tail;
  }

  /** All tokens that are cached. */
  int tokens() {
    return size * pool.blockSize() + tailTokens;
  }

  /**
   * Brings the match up to date, from where it ended last time. At most all tokens but one are
   * found, since the last must be computed to give logits.
   */
  void update(int[] sequence, int total) {
    if (seen == pool.changes()) {
      return;
    }
    seen = pool.changes();
    tail = NONE;
    tailTokens = 0;
    if (!enabled) {
      size = 0;
      return;
    }
    dropWhatIsGone();
    int blockSize = pool.blockSize();
    int found = next(sequence, total, blockSize);
    while (found >= 0 && (size + 1) * blockSize < total) {
      add(found);
      found = next(sequence, total, blockSize);
    }
    int beginning = fork - size * blockSize;
    if (found >= 0) { // all is cached; the last token is computed again in a block of its own
      setTail(found, blockSize - 1);
    } else if (beginning > 0 && beginning < blockSize && fork < total) {
      setTail(next(sequence, total, beginning), beginning);
    }
  }

  private void dropWhatIsGone() {
    int valid = 0;
    while (valid < size && pool.index().id(blocks[valid]) == contents[valid]) {
      valid++;
    }
    size = valid;
  }

  private int next(int[] sequence, int total, int length) {
    int from = size * pool.blockSize();
    return from + length > total ? NONE : pool.index().find(content(), sequence, from, length);
  }

  private void setTail(int block, int tokens) {
    if (block >= 0 && tokens > 0) {
      tail = block;
      tailTokens = tokens;
    }
  }

  private void add(int block) {
    if (size == blocks.length) {
      blocks = Arrays.copyOf(blocks, 2 * size);
      contents = Arrays.copyOf(contents, 2 * size);
    }
    blocks[size] = block;
    contents[size++] = pool.index().id(block);
  }
}
