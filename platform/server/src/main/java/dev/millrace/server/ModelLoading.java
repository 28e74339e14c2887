package dev.millrace.server;

import dev.millrace.engine.EngineListener;
import dev.millrace.server.config.Keys;
import dev.millrace.server.config.Settings;
import dev.millrace.server.serving.ModelOpener;
import dev.millrace.server.serving.ModelSlot;
import dev.millrace.spi.InferenceException;
import io.dropwizard.lifecycle.ServerLifecycleListener;
import org.eclipse.jetty.server.Server;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Loads the model once the port is open; without a model the program ends. */
final class ModelLoading implements ServerLifecycleListener {
  private static final Logger LOG = LoggerFactory.getLogger(ModelLoading.class);

  private final ModelOpener opener;
  private final Settings settings;
  private final EngineListener listener;
  private final ModelSlot slot;

  ModelLoading(ModelOpener opener, Settings settings, EngineListener listener, ModelSlot slot) {
    this.opener = opener;
    this.settings = settings;
    this.listener = listener;
    this.slot = slot;
  }

  @Override
  public void serverStarted(Server server) {
    int port = getLocalPort(server);
    Thread.ofPlatform().name("load").start(() -> load(port));
  }

  private void load(int port) {
    try {
      var model = opener.open(settings, listener);
      slot.fill(model);
      LOG.info(
          "millrace: serving {} on http://{}:{} ({}, scheduler {})",
          model.name(),
          settings.get(Keys.HOST),
          port,
          model.host().deviceName(),
          settings.get(Keys.SCHEDULER));
    } catch (InferenceException e) {
      LOG.error("the model cannot be served: {}: {}", e.code(), e.getMessage());
      System.exit(1);
    } catch (RuntimeException | Error e) {
      LOG.error("the model cannot be served", e);
      System.exit(1);
    }
  }
}
