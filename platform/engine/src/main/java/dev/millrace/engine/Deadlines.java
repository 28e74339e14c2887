package dev.millrace.engine;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.Comparator;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/** Requests that must end, or begin, by a certain time. Owned by the engine thread. */
final class Deadlines {
  private static final long NONE = Long.MAX_VALUE;

  // nanoTime may be negative: only differences mean anything
  private final long start = System.nanoTime();
  private final PriorityQueue<Generation> queue =
      new PriorityQueue<>(Comparator.comparingLong(g -> g.deadlineNanos() - start));

  void add(Generation generation) {
    if (generation.deadlineNanos() != NONE) {
      queue.add(generation);
    }
  }

  /** To be called before a generation's deadline changes. */
  void remove(Generation generation) {
    if (generation.deadlineNanos() != NONE) {
      queue.remove(generation);
    }
  }

  /** A request whose time is up, or null. */
  @Nullable Generation expired(long now) {
    var first = queue.peek();
    return first != null && first.deadlineNanos() - now <= 0 ? first : null;
  }

  /** The next time at which a request's time is up; {@link Long#MAX_VALUE}: none. */
  long next() {
    var first = queue.peek();
    return first == null ? NONE : first.deadlineNanos();
  }

  /** What a request is told whose time is up. */
  static InferenceException error(Generation generation) {
    var terms = generation.request.terms();
    boolean whole = generation.deadlineNanos() == generation.sequence.deadlineNanos();
    return whole
        ? new InferenceException(ErrorCode.TIMED_OUT, "not finished within " + terms.timeout())
        : new InferenceException(
            ErrorCode.QUEUE_TIMEOUT,
            "waited for " + terms.queueTimeout() + " without a first step; try again later");
  }
}
