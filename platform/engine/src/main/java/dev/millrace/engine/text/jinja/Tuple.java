package dev.millrace.engine.text.jinja;

import java.util.List;

/** A Python tuple; {@code names} is empty or names each item. */
record Tuple(List<Object> items, List<String> names) {
  Tuple(List<Object> items) {
    this(items, List.of());
  }

  static Tuple of(Object... items) {
    return new Tuple(List.of(items));
  }
}
