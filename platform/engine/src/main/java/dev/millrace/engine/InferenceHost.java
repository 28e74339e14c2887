package dev.millrace.engine;

import com.sun.management.OperatingSystemMXBean;
import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.engine.load.LoadedModel;
import dev.millrace.engine.load.ModelLoader;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelSpec;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model being served in this process: plugins, device, weights and engine, opened in this order
 * and closed in the other. The way to embed Millrace without HTTP.
 */
public final class InferenceHost implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(InferenceHost.class);

  private final Deque<Runnable> closers;
  private final Engine engine;
  private final LoadedModel model;
  private final EngineSettings settings;
  private final String deviceName;

  private InferenceHost(
      Deque<Runnable> closers,
      Engine engine,
      LoadedModel model,
      EngineSettings settings,
      String deviceName) {
    this.closers = closers;
    this.engine = engine;
    this.model = model;
    this.settings = settings;
    this.deviceName = deviceName;
  }

  /**
   * Loads a model and starts its engine. Takes as long as the weights take to load.
   *
   * @throws InferenceException saying what is wrong; nothing stays open
   */
  public static InferenceHost open(HostSettings settings, EngineListener listener) {
    var closers = new ArrayDeque<Runnable>();
    try {
      var plugins = PluginCatalog.open(settings.plugins());
      closers.push(plugins::close);
      check(settings, plugins);
      var scheduler = plugins.scheduler(settings.scheduler()).create(settings.schedulerSettings());
      var device = Devices.open(settings);
      closers.push(device::close);
      var model = ModelLoader.load(settings.model(), plugins);
      closers.push(model::close);
      var limits = limits(settings, model.spec(), device);
      DeviceModel loaded =
          device.load(
              model.model(),
              model.spec(),
              new KvLayout(limits.blocks(), limits.blockSize(), Devices.kvDtype(settings, device)));
      closers.push(loaded::close);
      var engine =
          new Engine(
              new Engine.Parts(
                  loaded,
                  model.spec().vocabulary(),
                  model.tokenizer(),
                  limits,
                  settings.scheduler(),
                  scheduler,
                  listener));
      closers.push(engine::close);
      return new InferenceHost(closers, engine, model, limits, device.name());
    } catch (RuntimeException | Error e) {
      closeAll(closers);
      throw e;
    }
  }

  /** What can be known to be wrong before anything is loaded, all of it at once. */
  private static void check(HostSettings settings, PluginCatalog plugins) {
    var checks = new Checks();
    checks.run(() -> Devices.check(settings));
    checks.run(() -> JsonModelConfig.open(settings.model().directory()));
    String quantization = settings.model().quantization();
    if (!quantization.isEmpty()) {
      checks.run(() -> plugins.quantizer(quantization));
    }
    checks.run(() -> plugins.scheduler(settings.scheduler()).create(settings.schedulerSettings()));
    checks.throwIfAny();
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

  private static EngineSettings limits(HostSettings settings, ModelSpec spec, Device device) {
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
        blocks(settings, spec, device, length),
        settings.prefixCaching(),
        settings.maxQueuedRequests(),
        settings.maxQueuedTokens());
  }

  /** As many blocks as the limits can ever use, or as the memory holds. */
  private static int blocks(HostSettings settings, ModelSpec spec, Device device, int length) {
    long useful = (long) settings.maxNumSeqs() * Math.ceilDiv(length, settings.blockSize());
    long budget = settings.kvCacheBytes() == 0 ? machineMemory() / 4 : settings.kvCacheBytes();
    long affordable =
        budget
            / device.kvBytesPerBlock(spec, settings.blockSize(), Devices.kvDtype(settings, device));
    return Math.clamp(Math.min(useful, affordable), 0, Integer.MAX_VALUE);
  }

  private static long machineMemory() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
  }

  @Override
  public void close() {
    closeAll(closers);
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
