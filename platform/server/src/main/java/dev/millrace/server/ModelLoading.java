package dev.millrace.server;

import dev.millrace.server.config.Keys;
import dev.millrace.server.serving.ModelChanges;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import io.dropwizard.lifecycle.ServerLifecycleListener;
import org.eclipse.jetty.server.Server;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads the model once the port is open; without a model the program ends. */
final class ModelLoading implements ServerLifecycleListener {
  private static final Logger LOG = LoggerFactory.getLogger(ModelLoading.class);

  private final ModelChanges changes;

  ModelLoading(ModelChanges changes) {
    this.changes = changes;
  }

  @Override
  public void serverStarted(Server server) {
    int port = getLocalPort(server);
    Thread.ofPlatform().name("load").start(() -> load(port));
  }

  private void load(int port) {
    try {
      var settings = changes.settings();
      var model = changes.open(settings);
      LOG.info(
          "millrace: serving {} on http://{}:{} ({}, scheduler {})",
          model.name(),
          settings.get(Keys.HOST),
          port,
          model.host().deviceName(),
          settings.get(Keys.SCHEDULER));
    } catch (InferenceException e) {
      if (e.code() == ErrorCode.UNAVAILABLE) {
        LOG.info("the model came too late: {}", e.getMessage());
        return;
      }
      LOG.error("the model cannot be served: {}: {}", e.code(), e.getMessage());
      System.exit(1);
    } catch (RuntimeException | Error e) {
      LOG.error("the model cannot be served", e);
      System.exit(1);
    }
  }
}
