package dev.millrace.engine.gguf;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The metadata of a GGUF file by key. Nothing is converted: a number in quotes is no number. */
record GgufMetadata(Path path, Map<String, GgufValue> values) {
  GgufMetadata {
    values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
  }

  boolean has(String key) {
    return values.containsKey(key);
  }

  /** A whole number, which must be there. */
  int integer(String key) {
    return optionalInteger(key)
        .orElseThrow(() -> wrong(key + " is missing; a whole number is needed"));
  }

  OptionalInt optionalInteger(String key) {
    GgufValue found = values.get(key);
    if (found == null) {
      return OptionalInt.empty();
    }
    if (found instanceof GgufValue.Whole(long value) && value == (int) value) {
      return OptionalInt.of((int) value);
    }
    throw mistyped(key, found, "a whole number of 31 bits");
  }

  double real(String key, double fallback) {
    GgufValue found = values.get(key);
    return switch (found) {
      case null -> fallback;
      case GgufValue.Real(double value) when Double.isFinite(value) -> value;
      case GgufValue.Whole(long value) -> value;
      default -> throw mistyped(key, found, "a finite number");
    };
  }

  boolean flag(String key, boolean fallback) {
    GgufValue found = values.get(key);
    return switch (found) {
      case null -> fallback;
      case GgufValue.Flag(boolean value) -> value;
      default -> throw mistyped(key, found, "true or false");
    };
  }

  @Nullable String text(String key) {
    GgufValue found = values.get(key);
    return switch (found) {
      case null -> null;
      case GgufValue.Text(String value) -> value;
      default -> throw mistyped(key, found, "a string");
    };
  }

  /** A string, which must be there. */
  String neededText(String key) {
    String text = text(key);
    if (text == null) {
      throw wrong(key + " is missing; a string is needed");
    }
    return text;
  }

  /** An array of strings; empty where the key is missing. */
  List<String> texts(String key) {
    GgufValue found = values.get(key);
    return switch (found) {
      case null -> List.of();
      case GgufValue.Texts(var texts) -> texts;
      default -> throw mistyped(key, found, "an array of strings");
    };
  }

  /** An array of whole numbers; empty where the key is missing. */
  long[] wholes(String key) {
    GgufValue found = values.get(key);
    return switch (found) {
      case null -> new long[0];
      case GgufValue.Wholes(long[] wholes) -> wholes;
      default -> throw mistyped(key, found, "an array of whole numbers");
    };
  }

  /** An array of numbers; empty where the key is missing. */
  double[] reals(String key) {
    GgufValue found = values.get(key);
    return switch (found) {
      case null -> new double[0];
      case GgufValue.Reals(double[] reals) -> reals;
      default -> throw mistyped(key, found, "an array of numbers");
    };
  }

  private InferenceException mistyped(String key, GgufValue found, String wanted) {
    return wrong(key + " is " + found.shown() + ", not " + wanted);
  }

  /** An error about the metadata. */
  InferenceException wrong(String what) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, path + ": " + what);
  }

  /** An error about a model that is sound and not served. */
  InferenceException unsupported(String what) {
    return new InferenceException(ErrorCode.UNSUPPORTED_MODEL, path + ": " + what);
  }
}
