package dev.millrace.server;

import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.engine.device.cpu.NativeLibrary;
import dev.millrace.engine.text.Tokenizer;
import dev.millrace.server.config.ConfigurationLoader;
import dev.millrace.server.config.ServeConfiguration;
import dev.millrace.server.serving.ModelOpener;
import dev.millrace.server.serving.ModelSlot;
import io.dropwizard.core.Application;
import io.dropwizard.jackson.Jackson;
import io.dropwizard.jersey.validation.Validators;
import io.dropwizard.logging.common.ExternalLoggingFactory;
import io.dropwizard.testing.DropwizardTestSupport;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The server with the real engine and a model of random weights, on a free port. */
public final class TestServer implements AutoCloseable {
  public static final String MODEL = "demo";
  public static final String PLUGINS = root("target/millrace/plugins");
  static final String MODEL_DIRECTORY = root("platform/testkit/src/test/noise-model");

  private final ServeApplication application;
  private final DropwizardTestSupport<ServeConfiguration> support;

  private TestServer(ServeApplication served, Map<String, Object> flags) {
    this.application = served;
    this.support =
        new DropwizardTestSupport<>(ServeApplication.class, configuration(flags)) {
          @Override
          public Application<ServeConfiguration> newApplication() {
            return served; // not the superclass's field
          }
        };
  }

  private static final class Shared {
    static final TestServer SERVER = start(Map.of("max-queued-requests", "8", "max-num-seqs", "4"));
  }

  /** One for all tests that leave it as it is; it lives as long as the JVM. */
  public static TestServer shared() {
    return Shared.SERVER;
  }

  /** One of the caller's own, with these flags, once it serves. */
  public static TestServer start(Map<String, Object> flags) {
    var server = start(new EngineOpener(), flags);
    try {
      while (!server.slot().serves()) {
        Thread.sleep(5);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return server;
  }

  /** One whose model is opened like this; it may not serve yet. */
  static TestServer start(ModelOpener opener, Map<String, Object> flags) {
    var server = new TestServer(new ServeApplication(opener), flags);
    try {
      server.support.before();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    return server;
  }

  /** Where models in GGUF files lie, each beside what transformers answers with it. */
  public static Path ggufFolder() {
    return Path.of(root("platform/testkit/src/test/gguf"));
  }

  /** Where the model of random weights lies. */
  public static Path modelFolder() {
    return Path.of(MODEL_DIRECTORY);
  }

  /** The model's, for the caller to close. */
  public static Tokenizer tokenizer() {
    return Tokenizer.open(Path.of(MODEL_DIRECTORY));
  }

  ModelSlot slot() {
    return application.slot();
  }

  public int port() {
    return support.getLocalPort();
  }

  int adminPort() {
    return support.getAdminPort();
  }

  public Http http() {
    return new Http(port());
  }

  @Override
  public void close() {
    support.after();
  }

  private static ServeConfiguration configuration(Map<String, Object> flags) {
    var all = new HashMap<String, Object>();
    all.put("model", MODEL_DIRECTORY);
    all.put("served-model-name", MODEL);
    all.put("plugins", PLUGINS);
    all.put("host", "127.0.0.1");
    all.put("port", "0");
    all.put("admin-port", "0");
    all.put("kv-cache-memory-bytes", "64MiB");
    all.put("cpu-kernels", exactKernels());
    all.putAll(flags);
    try {
      var configuration =
          new ConfigurationLoader(Jackson.newObjectMapper(), Validators.newValidator(), all)
              .build();
      configuration.setLoggingFactory(new ExternalLoggingFactory());
      return configuration;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** The fastest that multiply in F32, as transformers did for what tests expect. */
  private static String exactKernels() {
    return NativeLibrary.sets().stream()
        .filter(set -> !set.roundsActivations())
        .findFirst()
        .map(InstructionSet::label)
        .orElse("auto");
  }

  private static String root(String path) {
    return Path.of(System.getProperty("millrace.root"), path).toString();
  }
}
