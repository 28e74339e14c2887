package dev.millrace.engine;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.load.LoadFormat;
import dev.millrace.engine.load.LoadedModel;
import dev.millrace.engine.load.ModelLoader;
import dev.millrace.engine.load.StoredModel;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model being served in this process: scheduler, device, weights and engine, opened in this order
 * and closed in the other. The way to embed Millrace without HTTP. Any thread.
 */
public final class InferenceHost implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(InferenceHost.class);

  private final Deque<Runnable> closers;
  private final Engine engine;
  private final LoadedModel model;
  private final EngineSettings settings;
  private final String deviceName;
  private final PluginCatalog plugins;
  private HeldScheduler scheduler;

  private InferenceHost(
      Deque<Runnable> closers,
      Engine engine,
      LoadedModel model,
      EngineSettings settings,
      String deviceName,
      PluginCatalog plugins,
      HeldScheduler scheduler) {
    this.closers = closers;
    this.engine = engine;
    this.model = model;
    this.settings = settings;
    this.deviceName = deviceName;
    this.plugins = plugins;
    this.scheduler = scheduler;
  }

  /**
   * Loads a model and starts its engine. Takes as long as the weights take to load.
   *
   * @param plugins stays the caller's, and open for longer than this
   * @throws InferenceException saying what is wrong; nothing stays open
   */
  public static InferenceHost open(
      HostSettings settings, PluginCatalog plugins, EngineListener listener) {
    var closers = new ArrayDeque<Runnable>();
    try {
      var stored = checked(settings, plugins);
      var user = plugins.user("model " + settings.model().name());
      closers.push(user::close);
      var device = Devices.open(settings);
      closers.push(device::close);
      if (settings.model().format() != LoadFormat.DUMMY) { // which has no files
        // formats that are made at load are half as large as the checkpoint, or less
        boolean made =
            !settings.model().quantization().isEmpty()
                && !stored.config().has("quantization_config");
        long bytes = made ? stored.bytes() / 2 : stored.bytes();
        HostMemory.require("the weights of " + settings.model().name() + " would", bytes);
      }
      var model = ModelLoader.load(stored, settings.model(), user, device::arranged);
      closers.push(model::close);
      var kv = Devices.kvDtype(settings, device, model);
      var limits = limits(settings, model, device, kv);
      DeviceModel loaded =
          device.load(
              model.model(), model.spec(), new KvLayout(limits.blocks(), limits.blockSize(), kv));
      closers.push(loaded::close);
      loaded.reserve(limits.maxNumBatchedTokens());
      var scheduler =
          HeldScheduler.take(plugins, settings.scheduler(), settings.schedulerSettings());
      var engine =
          start(
              new Engine.Parts(
                  new IntactModel(loaded, model.source().files()),
                  model.spec().vocabulary(),
                  model.tokenizer(),
                  limits,
                  listener),
              scheduler);
      closers.push(engine::close);
      closers.push(FileWatch.start(model.source().files(), engine)::close);
      return new InferenceHost(closers, engine, model, limits, device.name(), plugins, scheduler);
    } catch (RuntimeException | Error e) {
      closeAll(closers);
      throw e;
    }
  }

  private static Engine start(Engine.Parts parts, HeldScheduler scheduler) {
    try {
      return new Engine(parts, scheduler.named());
    } catch (RuntimeException | Error e) {
      scheduler.close();
      throw e;
    }
  }

  /**
   * Finds what is wrong with settings and model without its weights, which need not be there.
   *
   * @throws InferenceException saying all of it
   */
  public static void check(HostSettings settings, PluginCatalog plugins) {
    var stored = checked(settings, plugins);
    try (var trial = plugins.user("a check")) {
      ModelLoader.check(stored, trial);
    }
  }

  /** What can be known to be wrong before anything is loaded, all of it at once. */
  private static StoredModel checked(HostSettings settings, PluginCatalog plugins) {
    var checks = new Checks();
    checks.run(() -> Devices.check(settings));
    var stored = checks.get(() -> StoredModel.open(settings.model().path()));
    String quantization = settings.model().quantization();
    if (!quantization.isEmpty()) {
      checks.run(() -> {
        try (var trial = plugins.user("a check")) {
          trial.quantizer(quantization);
        }
      });
    }
    checks.run(() ->
        HeldScheduler.take(plugins, settings.scheduler(), settings.schedulerSettings()).close());
    checks.throwIfAny();
    return stored.orElseThrow();
  }

  /**
   * Has another scheduler plan from the next step on, with requests running.
   *
   * @throws InferenceException {@code INVALID_CONFIGURATION} if there is none of this name or its
   *     settings are wrong, {@code INVALID_PLUGIN} if the plugin fails, {@code UNAVAILABLE} if the
   *     engine has stopped; the one before then stays
   */
  public synchronized void schedule(String name, Map<String, String> schedulerSettings) {
    var next = HeldScheduler.take(plugins, name, schedulerSettings);
    try {
      engine.schedule(next.named());
    } catch (RuntimeException e) {
      next.close();
      throw e;
    }
    scheduler.close();
    scheduler = next;
  }

  public Engine engine() {
    return engine;
  }

  public LoadedModel model() {
    return model;
  }

  /** The limits in force. */
  public EngineSettings settings() {
    return settings;
  }

  /** Device and kernels, for logs. */
  public String deviceName() {
    return deviceName;
  }

  private static EngineSettings limits(
      HostSettings settings, LoadedModel model, Device device, KvDtype kv) {
    var spec = model.spec();
    int length = settings.maxModelLen() == 0 ? spec.maxContext() : settings.maxModelLen();
    if (length > spec.maxContext()) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "max-model-len is %d, the model was made for %d tokens"
              .formatted(length, spec.maxContext()));
    }
    if (settings.blockSize() < 1) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "block-size is " + settings.blockSize() + ", it must be at least 1");
    }
    return new EngineSettings(
        length,
        settings.maxNumSeqs(),
        settings.maxNumBatchedTokens(),
        settings.blockSize(),
        new KvRoom(settings, device, model, kv).blocks(length),
        settings.prefixCaching(),
        settings.maxQueuedRequests(),
        settings.maxQueuedTokens());
  }

  @Override
  public synchronized void close() {
    closeAll(closers);
    scheduler.close();
  }

  /** Closes all, whatever one of them throws. */
  private static void closeAll(Deque<Runnable> closers) {
    while (!closers.isEmpty()) {
      try {
        closers.pop().run();
      } catch (RuntimeException e) {
        LOG.error("a part of the host could not be closed", e);
      }
    }
  }
}
