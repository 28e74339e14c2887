package dev.millrace.engine;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wakes a scheduler that blocks: who waits or sleeps inside of a plan for a second is interrupted,
 * and said to be stuck for as long as that does not help. A loop that never looks at interrupts
 * cannot be ended from outside.
 */
final class PlanWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PlanWatch.class);
  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final Duration LOOK = Duration.ofMillis(250);

  private final Thread watcher =
      Thread.ofPlatform().name("plan-watch").daemon().unstarted(this::watch);
  private @Nullable Thread planning;
  private String name = "";
  private long since;
  private boolean watching;

  /** The calling thread asks this scheduler for a plan. */
  synchronized void begin(String scheduler, long now) {
    planning = Thread.currentThread();
    name = scheduler;
    since = now;
    if (!watching) {
      watching = true;
      watcher.start();
    }
  }

  /** It has answered; an interrupt was meant for the plan alone. */
  @SuppressWarnings("ResultOfMethodCallIgnored") // the flag is to be cleared
  synchronized void end() {
    planning = null;
    Thread.interrupted();
  }

  private void watch() {
    try {
      while (true) {
        Thread.sleep(LOOK);
        look(System.nanoTime());
      }
    } catch (InterruptedException _) {
      // closed
    }
  }

  private synchronized void look(long now) {
    var stuck = planning;
    if (stuck != null && now - since > PATIENCE.toNanos()) {
      LOG.error("scheduler {} has not planned for {} ms", name, (now - since) / 1_000_000);
      stuck.interrupt();
    }
  }

  @Override
  public void close() {
    watcher.interrupt();
  }
}
