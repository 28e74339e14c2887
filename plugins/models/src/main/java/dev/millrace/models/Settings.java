package dev.millrace.models;

import dev.millrace.spi.model.ModelConfig;

/** Settings that a family serves with one value only, or cannot do without. */
final class Settings {
  private Settings() {}

  /** Refuses any other text; a missing key is what the family is like. */
  static void only(ModelConfig config, String key, String value) {
    String found = config.text(key, value);
    if (!found.equals(value)) {
      throw Shape.unsupported(key + " is " + found + "; supported is " + value);
    }
  }

  /** Refuses true. */
  static void off(ModelConfig config, String key) {
    if (config.flag(key, false)) {
      throw Shape.unsupported(key + " is true; supported is false");
    }
  }

  /** Refuses a file without these whole numbers: what they default to is no property of it. */
  static void needed(ModelConfig config, String... keys) {
    for (String key : keys) {
      var _ = config.integer(key); // fails, and names it
    }
  }
}
