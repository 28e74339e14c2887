package dev.millrace.server;

import dev.millrace.server.config.ConfigurationLoader;
import dev.millrace.server.config.Keys;
import dev.millrace.server.config.ServeConfiguration;
import dev.millrace.server.config.Setting;
import io.dropwizard.core.cli.ServerCommand;
import io.dropwizard.core.setup.Bootstrap;
import io.dropwizard.core.setup.Environment;
import java.util.HashMap;
import java.util.Map;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;

/** {@code serve}: flags over the configuration file, then Dropwizard's server. */
final class ServeCommand extends ServerCommand<ServeConfiguration> {

  private final ServeApplication application;

  ServeCommand(ServeApplication application) {
    super(application, "serve", "serve a model over the OpenAI API");
    this.application = application;
  }

  @Override
  public void configure(Subparser subparser) {
    subparser
        .addArgument("--config")
        .dest("file")
        .metavar("FILE")
        .help("configuration file; flags override it");
    for (var setting : Keys.flags()) {
      var byDefault = setting.byDefault();
      if (byDefault instanceof Boolean on) {
        addSwitch(subparser, setting, on);
        continue;
      }
      var argument =
          subparser
              .addArgument("--" + setting.name())
              .dest(setting.name())
              .metavar(setting.kind().metavar())
              .help(
                  setting.help()
                      + (byDefault instanceof String
                              || byDefault instanceof Integer
                              || byDefault instanceof Double
                          ? " (" + byDefault + ")"
                          : ""));
      if (setting.equals(Keys.API_KEY) || setting.equals(Keys.SERVED_MODEL_NAME)) {
        argument.action(Arguments.append());
      }
    }
  }

  /** {@code --name} and {@code --no-name}, as vLLM has them. */
  private static void addSwitch(Subparser subparser, Setting<?> setting, boolean on) {
    subparser
        .addArgument("--" + setting.name())
        .dest(setting.name())
        .action(Arguments.storeConst())
        .setConst("true")
        .help(setting.help() + (on ? " (yes)" : " (no)"));
    subparser
        .addArgument("--no-" + setting.name())
        .dest(setting.name())
        .action(Arguments.storeConst())
        .setConst("false")
        .help("the opposite");
  }

  @Override
  public void run(Bootstrap<?> bootstrap, Namespace namespace) throws Exception {
    var flags = flags(namespace);
    @SuppressWarnings("unchecked")
    var ours = (Bootstrap<ServeConfiguration>) bootstrap;
    ours.setConfigurationFactoryFactory(
        (type, validator, mapper, prefix) -> new ConfigurationLoader(mapper, validator, flags));
    super.run(bootstrap, namespace);
  }

  @Override
  protected void run(Environment environment, Namespace namespace, ServeConfiguration configuration)
      throws Exception {
    var atMost = configuration.settings().get(Keys.SHUTDOWN_TIMEOUT);
    environment.lifecycle().addServerLifecycleListener(new Draining(application.slot(), atMost));
    super.run(environment, namespace, configuration);
  }

  private static Map<String, Object> flags(Namespace namespace) {
    var flags = new HashMap<String, Object>();
    for (var setting : Keys.flags()) {
      Object value = namespace.get(setting.name());
      if (value != null) {
        flags.put(setting.name(), value);
      }
    }
    return flags;
  }
}
