package dev.millrace.spi.schedule;

/**
 * One sequence, as a scheduler sees it during one call of {@link Scheduler#plan}. There is no
 * prefill and no decode state: a step grants tokens so that {@link #computed()} catches up with
 * {@link #total()}.
 */
public interface SequenceView {
  /** Unique in the engine's life. */
  long id();

  /** The request it belongs to; several sequences of one request share it. */
  long request();

  /**
   * Tokens whose keys and values are in the cache. Of a waiting sequence: what would be taken over
   * from there if it started now, which others may have computed.
   */
  int computed();

  /** Tokens known so far: the prompt and what was sampled. */
  int total();

  /** The most tokens it can ever have: prompt plus longest answer. */
  int maxTotal();

  /** Lower runs first; 0 unless the request says otherwise. */
  int priority();

  /** Who pays for it; empty where the request does not say. */
  String tenant();

  /** When it was submitted, on the clock of {@link EngineView#nowNanos()}. */
  long arrivalNanos();

  /** When it must be finished, on the same clock; {@link Long#MAX_VALUE}: no limit. */
  long deadlineNanos();

  /** How often it lost its blocks and had to start again. */
  int preemptions();

  /** Tokens still to be computed; at least 1. */
  default int pending() {
    return total() - computed();
  }
}
