package dev.millrace.engine.schedule;

import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.SequenceView;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The engine as schedulers see it: the engine's own lists, shown read-only, and the block
 * arithmetic. One object lives as long as the engine. Owned by the engine thread.
 */
public final class LiveView implements EngineView {
  private final List<SequenceView> waiting;
  private final List<SequenceView> running;
  private final Limits limits;
  private long nowNanos;
  private @Nullable Object memo;
  private int freeBlocks;

  /** A view over the engine's live lists. */
  public LiveView(
      List<? extends SequenceView> waiting, List<? extends SequenceView> running, Limits limits) {
    this.waiting = Collections.unmodifiableList(waiting);
    this.running = Collections.unmodifiableList(running);
    this.limits = limits;
    this.freeBlocks = limits.totalBlocks();
  }

  /** Sets what changes from step to step. */
  public LiveView at(long now, @Nullable Object lastMemo, int free) {
    nowNanos = now;
    memo = lastMemo;
    freeBlocks = free;
    return this;
  }

  @Override
  public List<SequenceView> waiting() {
    return waiting;
  }

  @Override
  public List<SequenceView> running() {
    return running;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public long nowNanos() {
    return nowNanos;
  }

  @Override
  public @Nullable Object memo() {
    return memo;
  }

  @Override
  public int freeBlocks() {
    return freeBlocks;
  }

  @Override
  public int blocksFor(SequenceView sequence, int tokens) {
    int blocks = Math.ceilDiv(sequence.computed() + tokens, limits.blockSize());
    return blocks - counts(sequence).heldBlocks(limits.blockSize());
  }

  @Override
  public int freedBy(SequenceView sequence) {
    return counts(sequence).freedBlocks(limits.blockSize());
  }

  private static BlockCounts counts(SequenceView sequence) {
    if (sequence instanceof BlockCounts counts) {
      return counts;
    }
    throw new IllegalArgumentException("sequence " + sequence.id() + " is not of this view");
  }
}
