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

  @Override
  public void serverStarted(Server server) {
    server.setStopAtShutdown(false); // Jetty would close the port first
    Runtime.getRuntime().addShutdownHook(new Thread(() -> drain(server), "drain"));
  }

  private void drain(Server server) {
    try {
      if (slot.serves()) {
        LOG.info("shutting down; running requests have {} s", atMost.toSeconds());
      }
      int left = slot.drain(atMost);
      if (left > 0) {
        LOG.warn("{} requests did not end in time and are cut off", left);
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
