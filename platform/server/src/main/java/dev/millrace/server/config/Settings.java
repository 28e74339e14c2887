package dev.millrace.server.config;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** What was set, and the defaults of what was not. */
public final class Settings {
  private static final Set<Setting<?>> OPEN = Set.of(Keys.QUEUE_TIMEOUT, Keys.REQUEST_TIMEOUT);

  private final Map<Setting<?>, Object> given;

  Settings(Map<Setting<?>, Object> given) {
    this.given = Map.copyOf(given);
  }

  /** Nothing but defaults. */
  public static Settings defaults() {
    return new Settings(Map.of());
  }

  /** These settings with one more. */
  public <T> Settings with(Setting<T> setting, T value) {
    var more = new HashMap<>(given);
    more.put(setting, value);
    return new Settings(more);
  }

  /** The value of a setting that always has one. */
  public <T> T get(Setting<T> setting) {
    return find(setting)
        .orElseThrow(() -> new IllegalArgumentException(setting + " has no default"));
  }

  /** The value of a setting; empty if it was not set and has no default. */
  @SuppressWarnings("unchecked") // put by the setting's own reader
  public <T> Optional<T> find(Setting<T> setting) {
    var value = (T) given.get(setting);
    return Optional.ofNullable(value != null ? value : setting.byDefault());
  }

  boolean isGiven(Setting<?> setting) {
    return given.containsKey(setting);
  }

  /** A line for each setting, keys of the API hidden. */
  public String describe() {
    return Keys.ALL.stream()
        .map(setting -> "  %s: %s".formatted(setting.name(), shown(setting)))
        .collect(Collectors.joining("\n"));
  }

  private String shown(Setting<?> setting) {
    if (setting.equals(Keys.API_KEY)) {
      return get(Keys.API_KEY).isEmpty() ? "none" : get(Keys.API_KEY).size() + " set";
    }
    return find(setting)
        .map(value -> value instanceof Duration time ? time.toSeconds() : value)
        .map(Object::toString)
        .orElse(OPEN.contains(setting) ? "none" : "by model and machine");
  }
}
