package dev.millrace.server;

import dev.millrace.engine.EngineListener;
import dev.millrace.engine.HostSettings;
import dev.millrace.engine.InferenceHost;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.LoadFormat;
import dev.millrace.engine.load.ModelSettings;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.server.config.Keys;
import dev.millrace.server.config.Settings;
import dev.millrace.server.models.LoggedPull;
import dev.millrace.server.models.ModelFinder;
import dev.millrace.server.serving.ModelNames;
import dev.millrace.server.serving.ModelOpener;
import dev.millrace.server.serving.ServedModel;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens the model that the settings name in this process; the demo model if they name none. */
final class EngineOpener implements ModelOpener {
  private static final Logger LOG = LoggerFactory.getLogger(EngineOpener.class);

  private final ModelFinder finder;

  EngineOpener() {
    this(new ModelFinder(new LoggedPull()));
  }

  EngineOpener(ModelFinder finder) {
    this.finder = finder;
  }

  @Override
  public ServedModel open(Settings settings, PluginCatalog plugins, EngineListener listener) {
    var path =
        finder.find(
            settings.find(Keys.MODEL).orElseGet(EngineOpener::demoModel),
            format(settings),
            texts -> InferenceHost.check(hostSettings(settings, texts), plugins));
    var host = InferenceHost.open(hostSettings(settings, path), plugins, listener);
    LOG.info(
        "{} KV blocks of {} tokens, longest sequence {}",
        host.settings().blocks(),
        host.settings().blockSize(),
        host.settings().maxModelLen());
    return new ServedModel(ModelNames.of(settings), host);
  }

  private static HostSettings hostSettings(Settings settings, Path model) {
    var scheduler = settings.get(Keys.SCHEDULER);
    return new HostSettings(
        modelSettings(settings, model),
        settings.get(Keys.DEVICE),
        settings.get(Keys.GPU_MEMORY_UTILIZATION),
        settings.get(Keys.BATCH_INVARIANT),
        settings.get(Keys.CPU_KERNELS),
        settings.get(Keys.QUANTIZED_ACTIVATIONS),
        settings.find(Keys.THREADS).orElse(0),
        scheduler,
        settings.get(Keys.SCHEDULER_SETTINGS).getOrDefault(scheduler, Map.of()),
        settings.find(Keys.MAX_MODEL_LEN).orElse(0),
        settings.get(Keys.MAX_NUM_SEQS),
        settings.get(Keys.MAX_NUM_BATCHED_TOKENS),
        settings.get(Keys.BLOCK_SIZE),
        settings.find(Keys.KV_CACHE_MEMORY_BYTES).orElse(0L),
        settings.get(Keys.KV_CACHE_DTYPE),
        settings.get(Keys.ENABLE_PREFIX_CACHING),
        settings.get(Keys.MAX_QUEUED_REQUESTS),
        settings.get(Keys.MAX_QUEUED_TOKENS));
  }

  private static ModelSettings modelSettings(Settings settings, Path model) {
    return new ModelSettings(
        settings.find(Keys.MODEL).map(ModelFinder::name).orElse("demo-model"),
        model,
        settings.find(Keys.QUANTIZATION).orElse(""),
        settings.get(Keys.QUANTIZATION_CONFIG),
        DtypeChoice.of(settings.get(Keys.DTYPE)),
        format(settings),
        settings.find(Keys.SEED).orElse(0L));
  }

  private static LoadFormat format(Settings settings) {
    return LoadFormat.valueOf(settings.get(Keys.LOAD_FORMAT).toUpperCase(Locale.ROOT));
  }

  private static String demoModel() {
    LOG.info("no --model: serving the demo model, the customer service of an invented shop");
    return Home.path("demo-model").toString();
  }
}
