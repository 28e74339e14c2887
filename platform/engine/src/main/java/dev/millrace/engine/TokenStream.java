package dev.millrace.engine;

import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The answer to one request, as it is made. Filled by the engine's output thread, emptied by one
 * thread of the caller's. It holds at most one event per token and one for the end, so the engine
 * never waits for a reader.
 */
public final class TokenStream {
  private final LinkedBlockingQueue<StreamEvent> events = new LinkedBlockingQueue<>();
  private final Runnable cancel;

  TokenStream(Runnable cancel) {
    this.cancel = cancel;
  }

  void publish(StreamEvent event) {
    events.add(event);
  }

  /** Waits for the next event. */
  public StreamEvent next() throws InterruptedException {
    return events.take();
  }

  /** Waits so long for the next event; null if none came. */
  public @Nullable StreamEvent next(Duration atMost) throws InterruptedException {
    return events.poll(atMost.toNanos(), TimeUnit.NANOSECONDS);
  }

  /**
   * Ends the request: its blocks are free at most one step later. The stream then ends with {@code
   * Failed(CANCELLED)}, unless it had already ended. May be called from any thread, more than once.
   */
  public void cancel() {
    cancel.run();
  }
}
