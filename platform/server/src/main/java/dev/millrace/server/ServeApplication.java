package dev.millrace.server;

import ch.qos.logback.classic.Level;
import com.codahale.metrics.health.HealthCheck;
import dev.millrace.engine.RequestTerms;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.server.admin.AdminApi;
import dev.millrace.server.config.ConfigurationLoader;
import dev.millrace.server.config.Keys;
import dev.millrace.server.config.ServeConfiguration;
import dev.millrace.server.config.Settings;
import dev.millrace.server.metrics.ServerMetrics;
import dev.millrace.server.openai.Answering;
import dev.millrace.server.openai.ApiKeyFilter;
import dev.millrace.server.openai.ChatResource;
import dev.millrace.server.openai.CompletionResource;
import dev.millrace.server.openai.ConnectorErrors;
import dev.millrace.server.openai.ErrorMapper;
import dev.millrace.server.openai.ModelsResource;
import dev.millrace.server.openai.RequestIdFilter;
import dev.millrace.server.openai.Seeds;
import dev.millrace.server.openai.Timeouts;
import dev.millrace.server.openai.TokenizeResource;
import dev.millrace.server.serving.ModelChanges;
import dev.millrace.server.serving.ModelHolding;
import dev.millrace.server.serving.ModelNames;
import dev.millrace.server.serving.ModelOpener;
import dev.millrace.server.serving.ModelSlot;
import io.dropwizard.core.Application;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.core.setup.Environment;
import io.dropwizard.jersey.setup.JerseyEnvironment;
import io.dropwizard.lifecycle.AutoCloseableManager;
import io.prometheus.metrics.exporter.servlet.jakarta.PrometheusMetricsServlet;
import jakarta.servlet.DispatcherType;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Map;
import java.util.function.IntConsumer;
import org.glassfish.jersey.server.ServerProperties;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server: its port is open at once, and answers 503 until the model is loaded on a thread of
 * its own.
 */
public final class ServeApplication extends Application<ServeConfiguration> {
  private static final Logger LOG = LoggerFactory.getLogger(ServeApplication.class);

  private final ModelOpener opener;
  private final DeviceLoss onLoss;
  private final ModelSlot slot = new ModelSlot();

  /** The server of the model that the settings name. */
  public ServeApplication() {
    this(new EngineOpener());
  }

  ServeApplication(ModelOpener opener) {
    this(opener, System::exit);
  }

  /** Ends the process like this if the device is lost. */
  ServeApplication(ModelOpener opener, IntConsumer exit) {
    this.opener = opener;
    this.onLoss = new DeviceLoss(exit);
  }

  /** Where its model stands. */
  ModelSlot slot() {
    return slot;
  }

  @Override
  public String getName() {
    return "millrace";
  }

  @Override
  public void initialize(Bootstrap<ServeConfiguration> bootstrap) {
    bootstrap.setObjectMapper(ObjectMapping.mapper());
    bootstrap.addBundle(new JvmMetrics(bootstrap));
    bootstrap.setConfigurationFactoryFactory(
        (type, validator, mapper, prefix) -> new ConfigurationLoader(mapper, validator, Map.of()));
  }

  @Override
  public void run(ServeConfiguration configuration, Environment environment) {
    var settings = configuration.settings();
    LOG.info("settings\n{}", settings.describe());
    var firstName = ModelNames.of(settings).getFirst();
    var metrics = new ServerMetrics(() -> slot.name().orElse(firstName), slot::stats);
    var plugins =
        PluginCatalog.open(
            settings.find(Keys.PLUGINS).map(Path::of).orElseGet(() -> Home.path("plugins")));
    var changes = new ModelChanges(opener, plugins, slot, metrics::of, onLoss, settings);
    environment.lifecycle().manage(new AutoCloseableManager(plugins)); // the first ends last
    environment.lifecycle().manage(new AutoCloseableManager(slot));
    var loading = new ModelLoading(changes);
    environment.lifecycle().addServerLifecycleListener(loading);
    loading.start();
    environment
        .servlets()
        .addFilter("model", new ModelHolding(slot))
        .addMappingForUrlPatterns(EnumSet.of(DispatcherType.REQUEST), true, "/*");
    AdminApi.install(environment.admin(), plugins, slot, changes);
    var connectorErrors = new ConnectorErrors();
    environment.lifecycle().addEventListener(connectorErrors);
    environment.getApplicationContext().setErrorHandler(connectorErrors);
    environment
        .servlets()
        .addServlet("metrics", new PrometheusMetricsServlet(metrics.registry()))
        .addMapping("/metrics");
    environment
        .healthChecks()
        .register(
            "model",
            new HealthCheck() {
              @Override
              protected Result check() {
                return slot.serves()
                    ? Result.healthy()
                    : Result.unhealthy("no request would be served");
              }
            });
    register(environment.jersey(), settings);
    // the stack of every write to a client that has left: our bodies fail for no other reason
    QuietLogger.limit("org.glassfish.jersey.server.ServerRuntime$Responder", Level.OFF);
  }

  private void register(JerseyEnvironment jersey, Settings settings) {
    // a buffer would hold back short streams to their end
    jersey.property(ServerProperties.OUTBOUND_CONTENT_LENGTH_BUFFER, 0);
    jersey.property(ServerProperties.WADL_FEATURE_DISABLE, true);
    jersey.register(new RequestIdFilter());
    jersey.register(new ApiKeyFilter(settings.get(Keys.API_KEY)));
    jersey.register(new ErrorMapper());
    jersey.register(new HealthResource(slot));
    jersey.register(new ReadyResource(slot));
    jersey.register(new LoadResource(slot));
    jersey.register(new VersionResource());
    jersey.register(new ModelsResource(slot));
    var answering =
        new Answering(
            new Seeds(settings.find(Keys.SEED).orElse(null)),
            settings.get(Keys.MAX_REQUEST_SIZE),
            settings.get(Keys.MAX_LOGPROBS),
            new Timeouts(
                settings.find(Keys.QUEUE_TIMEOUT).orElse(RequestTerms.NO_TIMEOUT),
                settings.find(Keys.REQUEST_TIMEOUT).orElse(RequestTerms.NO_TIMEOUT)));
    jersey.register(new ChatResource(answering));
    jersey.register(new CompletionResource(answering));
    jersey.register(new TokenizeResource(answering));
  }
}
