package dev.millrace.server.config;

import com.fasterxml.jackson.annotation.JsonIgnore;
import io.dropwizard.core.Configuration;

/** The configuration of {@code serve}: our settings beside Dropwizard's server and logging. */
public final class ServeConfiguration extends Configuration {
  private Settings settings = Settings.defaults();

  void setSettings(Settings settings) {
    this.settings = settings;
  }

  /** Our settings. */
  @JsonIgnore
  public Settings settings() {
    return settings;
  }
}
