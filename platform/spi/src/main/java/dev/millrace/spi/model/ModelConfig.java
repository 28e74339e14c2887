package dev.millrace.spi.model;

import dev.millrace.spi.InferenceException;
import java.util.List;

/**
 * A typed view of {@code config.json}, or of an object inside it. A key that is absent and a key
 * that is null are the same. A missing or mistyped key fails with {@code UNSUPPORTED_MODEL}, the
 * key's full name and the file.
 */
public interface ModelConfig {
  boolean has(String key);

  /** The keys there are, in their order. */
  List<String> keys();

  /**
   * The key's whole number.
   *
   * @throws InferenceException if it is missing or no whole number
   */
  int integer(String key);

  int integer(String key, int fallback);

  double real(String key, double fallback);

  boolean flag(String key, boolean fallback);

  String text(String key, String fallback);

  /** The numbers of an array; empty where the key is missing. */
  List<Double> reals(String key);

  /** The strings of an array; empty where the key is missing. */
  List<String> texts(String key);

  /** The object below the key; empty, but never null, where the key is missing. */
  ModelConfig object(String key);
}
