package dev.millrace.engine.load;

import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** Tells how loading goes, once a second; nothing of what takes less. Loading thread. */
final class LoadProgress {
  private static final long PACE = Duration.ofSeconds(1).toNanos();

  private final LongSupplier nanos;
  private final Consumer<String> say;
  private final long start;
  private long next;

  /** Begins now. */
  LoadProgress(LongSupplier nanos, Consumer<String> say) {
    this.nanos = nanos;
    this.say = say;
    this.start = nanos.getAsLong();
    this.next = start + PACE;
  }

  /**
   * So far has it come.
   *
   * @param tensors that have been read
   * @param all that there are
   */
  void at(int tensors, int all) {
    long now = nanos.getAsLong();
    if (now - next >= 0) {
      next = now + PACE;
      long seconds = Duration.ofNanos(now - start).toSeconds();
      say.accept("%d of %d tensors loaded after %d s".formatted(tensors, all, seconds));
    }
  }
}
