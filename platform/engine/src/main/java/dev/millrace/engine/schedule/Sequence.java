package dev.millrace.engine.schedule;

import dev.millrace.engine.kv.BlockTable;
import dev.millrace.spi.schedule.SequenceView;
import java.util.Arrays;

/**
 * What the engine knows of one sequence: its tokens, how many of them are computed, its blocks. As
 * a {@link SequenceView} it is shown to schedulers without a copy. Owned by the engine thread.
 */
public final class Sequence implements SequenceView {
  private final long id;
  private final long request;
  private final int promptLength;
  private final int maxTotal;
  private final int priority;
  private final String tenant;
  private final long arrivalNanos;
  private final long deadlineNanos;
  private final BlockTable blocks = new BlockTable();
  private int[] tokens;
  private int total;
  private int computed;
  private int preemptions;

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
    return computed;
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

  public int token(int index) {
    return tokens[index];
  }

  public BlockTable blocks() {
    return blocks;
  }

  /** Counts tokens as computed. */
  public void advance(int granted) {
    if (granted < 1 || computed + granted > total) {
      throw new IllegalStateException(granted + " tokens granted of " + pending() + " pending");
    }
    computed += granted;
  }

  /** Adds a sampled token. */
  public void append(int token) {
    if (total == maxTotal) {
      throw new IllegalStateException("the sequence is full at " + maxTotal + " tokens");
    }
    if (total == tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.min(maxTotal, Math.max(16, 2 * total)));
    }
    tokens[total++] = token;
  }

  /** Starts again from nothing; the caller has taken the blocks back. */
  public void restart() {
    computed = 0;
    preemptions++;
  }

  @Override
  public String toString() {
    return "sequence " + id + " (" + computed + " of " + total + ", at most " + maxTotal + ")";
  }
}
