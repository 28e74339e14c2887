package dev.millrace.compare;

import dev.millrace.loadtest.LoadResult;
import java.util.OptionalLong;

/**
 * One measured run of one contender.
 *
 * @param users of the closed loop; 0 for an open loop
 * @param repetition from 1
 * @param peakResidentBytes the server's peak within this run, where the system tells
 * @param wrongAnswers complete answers whose text was not the one expected
 */
record Run(
    Contender contender,
    Kind kind,
    int users,
    int repetition,
    LoadResult result,
    OptionalLong peakResidentBytes,
    int wrongAnswers) {
  /** What a run is for. */
  enum Kind {
    /** Closed loop at 2 x max-num-seqs users. */
    THROUGHPUT,
    /** Open loop at a share of the baseline's capacity. */
    LATENCY,
    /** Closed loop on the way up to the most users served. */
    USERS
  }

  /** Whether a moment falls into this run. */
  boolean covers(long nanos) {
    long since = nanos - result.firstNanos();
    return since >= 0 && since <= result.wallNanos();
  }

  /** The client's P99 lateness in milliseconds. */
  double lagMillis() {
    return result.lag().getValueAtPercentile(99) / 1e6;
  }

  /**
   * A client that is late itself measures itself: its P99 lag is over a tenth of the median TTFT.
   */
  boolean invalid() {
    return result.completed() > 0
        && lagMillis() > result.ttft().getValueAtPercentile(50) / 1e6 / 10;
  }
}
