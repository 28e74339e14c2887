package dev.millrace.server.config;

import io.dropwizard.configuration.ConfigurationException;
import java.util.List;

/** Everything that is wrong with the configuration, a line for each. */
public final class ConfigurationProblems extends ConfigurationException {
  private static final long serialVersionUID = 1;

  ConfigurationProblems(String source, List<String> problems) {
    super(source, problems);
  }
}
