package dev.millrace.testkit;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A configuration put in by a test.
 *
 * @param values strings, numbers, booleans, lists and maps by key
 */
public record MemoryConfig(Map<String, Object> values) implements ModelConfig {
  public MemoryConfig {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  @Override
  public boolean has(String key) {
    return values.containsKey(key);
  }

  @Override
  public List<String> keys() {
    return List.copyOf(values.keySet());
  }

  @Override
  public int integer(String key) {
    return whole(key, get(key, Number.class));
  }

  @Override
  public int integer(String key, int fallback) {
    return has(key) ? integer(key) : fallback;
  }

  @Override
  public double real(String key, double fallback) {
    return has(key) ? get(key, Number.class).doubleValue() : fallback;
  }

  @Override
  public boolean flag(String key, boolean fallback) {
    return has(key) ? get(key, Boolean.class) : fallback;
  }

  @Override
  public String text(String key, String fallback) {
    return has(key) ? get(key, String.class) : fallback;
  }

  @Override
  public List<Double> reals(String key) {
    return list(key).stream().map(v -> cast(key, v, Number.class).doubleValue()).toList();
  }

  @Override
  public List<String> texts(String key) {
    return list(key).stream().map(v -> cast(key, v, String.class)).toList();
  }

  @Override
  public ModelConfig object(String key) {
    if (!has(key)) {
      return new MemoryConfig(Map.of());
    }
    var object = new LinkedHashMap<String, Object>();
    Map<?, ?> found = get(key, Map.class);
    found.forEach((name, value) -> object.put(String.valueOf(name), value));
    return new MemoryConfig(object);
  }

  private List<?> list(String key) {
    return has(key) ? get(key, List.class) : List.of();
  }

  private int whole(String key, Number number) {
    if (number.doubleValue() != number.intValue()) {
      throw wrong(key, number, "a whole number");
    }
    return number.intValue();
  }

  private <T> T get(String key, Class<T> type) {
    return cast(key, values.get(key), type);
  }

  private static <T> T cast(String key, @Nullable Object value, Class<T> type) {
    if (!type.isInstance(value)) {
      throw wrong(key, value, "a " + type.getSimpleName());
    }
    return type.cast(value);
  }

  private static InferenceException wrong(String key, @Nullable Object found, String wanted) {
    return new InferenceException(
        ErrorCode.UNSUPPORTED_MODEL,
        "%s is %s in a configuration made by a test; %s is wanted".formatted(key, found, wanted));
  }
}
