package dev.millrace.server.config;

import org.jspecify.annotations.Nullable;

/**
 * One thing that can be set: a key of the configuration file and a flag of {@code serve}, both by
 * this name.
 *
 * @param byDefault null if the default depends on the model or the machine
 */
public record Setting<T>(String name, Kind<T> kind, @Nullable T byDefault, String help) {

  @Override
  public String toString() {
    return name;
  }
}
