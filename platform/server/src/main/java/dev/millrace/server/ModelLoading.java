package dev.millrace.server;

import dev.millrace.server.config.Keys;
import dev.millrace.server.serving.ModelChanges;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import io.dropwizard.lifecycle.ServerLifecycleListener;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.server.Server;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads the model while the server starts; without a model the program ends. */
final class ModelLoading implements ServerLifecycleListener {
  private static final Logger LOG = LoggerFactory.getLogger(ModelLoading.class);

  private final ModelChanges changes;
  private final CompletableFuture<Integer> port = new CompletableFuture<>();

  ModelLoading(ModelChanges changes) {
    this.changes = changes;
  }

  void start() {
    Thread.ofPlatform().daemon().name("load").start(this::load);
  }

  @Override
  public void serverStarted(Server server) {
    port.complete(getLocalPort(server));
  }

  private void load() {
    try {
      var settings = changes.settings();
      var model = changes.open(settings);
      LOG.info(
          "millrace: serving {} on http://{}:{} ({}, scheduler {})",
          model.name(),
          settings.get(Keys.HOST),
          port.join(),
          model.host().deviceName(),
          settings.get(Keys.SCHEDULER));
    } catch (InferenceException e) {
      if (e.code() == ErrorCode.UNAVAILABLE) {
        LOG.info("the model came too late: {}", e.getMessage());
        return;
      }
      LOG.error("the model cannot be served: {}: {}", e.code(), e.getMessage());
      Exit.now(1);
    } catch (RuntimeException | Error e) {
      LOG.error("the model cannot be served", e);
      Exit.now(1);
    }
  }
}
