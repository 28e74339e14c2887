package dev.millrace.engine.schedule;

import dev.millrace.engine.kv.KvLease;
import dev.millrace.spi.schedule.SequenceView;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What the engine knows of one sequence: its tokens, how many of them are computed, its blocks. As
 * a {@link SequenceView} it is shown to schedulers without a copy. Owned by the engine thread.
 */
public final class Sequence implements SequenceView, BlockCounts {
  private final long id;
  private final long request;
  private final int promptLength;
  private final int maxTotal;
  private final int priority;
  private final String tenant;
  private final long arrivalNanos;
  private final long deadlineNanos;
  private @Nullable KvLease lease;
  private int[] tokens;
  private int total;
  private int computed;
  private int preemptions;
  private boolean expects;
  private boolean lookedAt;
  private int askedFreed = -1;

  /**
   * A sequence of which nothing is computed.
   *
   * @param prompt token ids, at least one
   * @param maxNewTokens longest answer, at least 1
   */
  public Sequence(
      long id,
      long request,
      int[] prompt,
      int maxNewTokens,
      int priority,
      String tenant,
      long arrivalNanos,
      long deadlineNanos) {
    if (prompt.length == 0 || maxNewTokens < 1) {
      throw new IllegalArgumentException(
          "a prompt of " + prompt.length + " tokens and an answer of " + maxNewTokens);
    }
    this.id = id;
    this.request = request;
    this.tokens = prompt.clone();
    this.promptLength = prompt.length;
    this.total = prompt.length;
    this.maxTotal = Math.addExact(prompt.length, maxNewTokens);
    this.priority = priority;
    this.tenant = tenant;
    this.arrivalNanos = arrivalNanos;
    this.deadlineNanos = deadlineNanos;
  }

  @Override
  public long id() {
    return id;
  }

  @Override
  public long request() {
    return request;
  }

  @Override
  public int computed() {
    if (lease == null || lease.attached()) {
      return computed;
    }
    lookedAt = true;
    return lease.tokens(tokens, total);
  }

  @Override
  public int total() {
    return total;
  }

  @Override
  public int maxTotal() {
    return maxTotal;
  }

  @Override
  public int priority() {
    return priority;
  }

  @Override
  public String tenant() {
    return tenant;
  }

  @Override
  public long arrivalNanos() {
    return arrivalNanos;
  }

  @Override
  public long deadlineNanos() {
    return deadlineNanos;
  }

  @Override
  public int preemptions() {
    return preemptions;
  }

  public int promptLength() {
    return promptLength;
  }

  /** A token id; of the one that is expected, −1 less the pick that it is drawn at. */
  public int token(int index) {
    return tokens[index];
  }

  /** Whether its last token is still being drawn. */
  public boolean expects() {
    return expects;
  }

  /** Whether the token that is being drawn is the last it can have. */
  public boolean expectsItsLast() {
    return expects && total == maxTotal;
  }

  /** The token ids; those from {@link #total()} on mean nothing. */
  public int[] tokens() {
    return tokens;
  }

  /** Where its keys and values are from now on; as long as it waits, nowhere. */
  public void enter(KvLease newLease) {
    lease = newLease;
  }

  /** What it holds of the KV cache. */
  public KvLease lease() {
    if (lease == null) {
      throw new IllegalStateException("sequence " + id + " has no place in a KV cache");
    }
    return lease;
  }

  @Override
  public int heldBlocks(int blockSize) {
    if (lease == null) {
      return Math.ceilDiv(computed, blockSize);
    }
    lookedAt |= !lease.attached();
    int held = lease.held(tokens, total);
    if (expectsItsLast()) { // and takes no more
      return Math.max(held, Math.ceilDiv(total, blockSize));
    }
    return held;
  }

  @Override
  public int freedBlocks(int blockSize) {
    askedFreed = lease == null ? Math.ceilDiv(computed, blockSize) : lease.freed();
    return askedFreed;
  }

  /** What a scheduler was last told of the blocks it would free; −1: it did not ask since. */
  public int takeAskedFreed() {
    int asked = askedFreed;
    askedFreed = -1;
    return asked;
  }

  /** Whether a scheduler saw how much of it is cached, since this was asked last. */
  public boolean wasLookedAt() {
    boolean was = lookedAt;
    lookedAt = false;
    return was;
  }

  /** Begins to run with what is cached of it. */
  public void attach() {
    computed = lease().attach(tokens, total);
  }

  /** Makes room for tokens that are about to be computed. */
  public void grow(int granted, KvLease.BlockCopies copies) {
    lease().grow(computed + granted, copies);
  }

  /** Counts tokens as computed. */
  public void advance(int granted) {
    if (granted < 1 || computed + granted > total) {
      throw new IllegalStateException(granted + " tokens granted of " + pending() + " pending");
    }
    computed += granted;
    if (lease != null) {
      lease.computed(tokens, computed);
    }
  }

  /** Adds a token that the device is drawing at this pick; it is known once it is appended. */
  public void expect(int pick) {
    append(-1 - pick);
    expects = true;
  }

  /** Adds a sampled token, or says what the expected one is. */
  public void append(int token) {
    if (expects) {
      expects = false;
      tokens[total - 1] = token;
      return;
    }
    if (total == maxTotal) {
      throw new IllegalStateException("the sequence is full at " + maxTotal + " tokens");
    }
    if (total == tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.min(maxTotal, Math.max(16, 2 * total)));
    }
    tokens[total++] = token;
  }

  /** Gives its blocks back and starts again, from what will be cached of it by then. */
  public void restart() {
    release();
    computed = 0;
    preemptions++;
  }

  /** Gives its blocks back. */
  public void release() {
    if (lease != null) {
      lease.release();
    }
  }

  @Override
  public String toString() {
    return "sequence " + id + " (" + computed + " of " + total + ", at most " + maxTotal + ")";
  }
}
