package dev.millrace.engine.text.jinja;

import java.util.Iterator;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A sequence that is worked out while it is read, and can be read only once. */
final class Generator {
  private final Supplier<Iterator<Object>> source;
  private @Nullable Iterator<Object> started;

  Generator(Supplier<Iterator<Object>> source) {
    this.source = source;
  }

  Iterator<Object> iterator() {
    Iterator<Object> iterator = started;
    if (iterator == null) {
      iterator = source.get();
      started = iterator;
    }
    return iterator;
  }
}
