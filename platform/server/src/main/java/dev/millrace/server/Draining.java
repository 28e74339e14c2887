package dev.millrace.server;

import dev.millrace.server.serving.ModelSlot;
import io.dropwizard.lifecycle.ServerLifecycleListener;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.server.Server;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens at SIGTERM: new requests and {@code /health} get 503 while running requests end, and
 * only then is the port closed.
 */
record Draining(ModelSlot slot, Duration atMost) implements ServerLifecycleListener {
  private static final Logger LOG = LoggerFactory.getLogger(Draining.class);
  private static final Duration REPORT = Duration.ofSeconds(5);
  private static final long SECOND = 1_000_000_000;

  @Override
  public void serverStarted(Server server) {
    server.setStopAtShutdown(false); // Jetty would close the port first
    Runtime.getRuntime().addShutdownHook(new Thread(() -> drain(server), "drain"));
  }

  /** Waits, and says now and then for how many; returns how many are left. */
  private int waitForRequests() throws InterruptedException {
    long end = System.nanoTime() + atMost.toNanos();
    int left = slot.drain(Duration.ZERO);
    long rest = end - System.nanoTime();
    while (left > 0 && rest > 0) {
      LOG.info(
          "shutting down; {} answers are left and have {} s", left, Math.ceilDiv(rest, SECOND));
      left = slot.drain(Duration.ofNanos(Math.min(rest, REPORT.toNanos())));
      rest = end - System.nanoTime();
    }
    return left;
  }

  private void drain(Server server) {
    try {
      int left = waitForRequests();
      if (left > 0) {
        LOG.warn("{} answers did not end in time and are cut off", left);
      } else {
        LOG.info("nothing is left to answer");
      }
      slot.close();
      server.stop();
    } catch (TimeoutException _) {
      LOG.warn("some connections were cut off");
    } catch (Exception e) {
      LOG.error("the shutdown failed", e);
    }
  }
}
