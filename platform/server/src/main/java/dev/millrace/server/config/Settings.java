package dev.millrace.server.config;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.spi.InferenceException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
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

  /**
   * These settings with others for the model.
   *
   * @param changes by name of the setting, as in the file; null: the default
   * @throws InferenceException {@code INVALID_CONFIGURATION} saying all that is wrong with them
   */
  public Settings with(ObjectNode changes) {
    var more = new HashMap<>(given);
    var problems = new Problems();
    var known = Keys.OF_MODEL.stream().collect(Collectors.toMap(Setting::name, key -> key));
    for (var change : changes.properties()) {
      var setting = known.get(change.getKey());
      if (setting == null) {
        problems.unknown(change.getKey(), change.getKey(), known.keySet());
      } else {
        more.remove(setting);
        setting.read(setting.name(), change.getValue(), more, problems);
      }
    }
    problems.throwAsErrorIfAny();
    return new Settings(more);
  }

  /** The model's settings and their values, by name; those without a value are left out. */
  public Map<String, Object> ofModel() {
    var all = new LinkedHashMap<String, Object>();
    Keys.OF_MODEL.forEach(setting -> find(setting).ifPresent(v -> all.put(setting.name(), v)));
    return all;
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
