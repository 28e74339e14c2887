package dev.millrace.engine.gguf;

import java.util.List;

/** A value of a GGUF file's metadata. */
sealed interface GgufValue {
  /** A whole number; one of 64 bits without sign appears as its bits. */
  record Whole(long value) implements GgufValue {}

  record Real(double value) implements GgufValue {}

  record Flag(boolean value) implements GgufValue {}

  record Text(String value) implements GgufValue {}

  record Wholes(long[] values) implements GgufValue {}

  record Reals(double[] values) implements GgufValue {}

  record Texts(List<String> values) implements GgufValue {
    public Texts {
      values = List.copyOf(values);
    }
  }

  /** An array of truth values or of arrays. */
  record Values(List<GgufValue> values) implements GgufValue {
    public Values {
      values = List.copyOf(values);
    }
  }

  /** Shown in messages. */
  default String shown() {
    return switch (this) {
      case Whole(long value) -> Long.toString(value);
      case Real(double value) -> Double.toString(value);
      case Flag(boolean value) -> Boolean.toString(value);
      case Text(String value) -> value.length() > 80 ? value.substring(0, 80) + "…" : value;
      case Wholes(long[] values) -> "an array of " + values.length + " whole numbers";
      case Reals(double[] values) -> "an array of " + values.length + " numbers";
      case Texts(var values) -> "an array of " + values.size() + " strings";
      case Values(var values) -> "an array of " + values.size();
    };
  }
}
