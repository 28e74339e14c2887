package dev.millrace.engine.text.jinja;

import java.util.List;

/** Python's {@code find}, {@code count}, {@code startswith} and their kin, in code points. */
final class Searching {
  private Searching() {}

  /** The part of a text its optional start and end arguments (1 and 2) leave. */
  private record Window(String text, int start, boolean exists) {
    static Window of(String text, Arguments arguments) {
      if (arguments.positional().size() < 2) {
        return new Window(text, 0, true);
      }
      int length = Chars.length(text);
      long from = bound(arguments.integer(1, "start", 0), length);
      long to = Math.min(length, bound(arguments.integer(2, "end", length), length));
      if (from > to) {
        return new Window("", (int) Math.min(from, length), false);
      }
      return new Window(
          text.substring(Chars.offset(text, (int) from), Chars.offset(text, (int) to)),
          (int) from,
          true);
    }

    private static long bound(long index, int length) {
      return index < 0 ? Math.max(0, index + length) : index;
    }
  }

  static long find(String text, Arguments arguments, boolean last) {
    arguments.expect("find", "sub", "start", "end");
    String wanted = arguments.text(0, "sub");
    Window window = Window.of(text, arguments);
    int at = last ? window.text().lastIndexOf(wanted) : window.text().indexOf(wanted);
    return at < 0 || !window.exists() ? -1 : window.start() + window.text().codePointCount(0, at);
  }

  static long index(String text, Arguments arguments, boolean last) {
    long at = find(text, arguments, last);
    if (at < 0) {
      throw JinjaException.fault("substring not found");
    }
    return at;
  }

  static long count(String text, Arguments arguments) {
    arguments.expect("count", "sub", "start", "end");
    String wanted = arguments.text(0, "sub");
    Window window = Window.of(text, arguments);
    if (!window.exists()) {
      return 0;
    }
    if (wanted.isEmpty()) {
      return Chars.length(window.text()) + 1L;
    }
    long count = 0;
    int at = window.text().indexOf(wanted);
    while (at >= 0) {
      count++;
      at = window.text().indexOf(wanted, at + wanted.length());
    }
    return count;
  }

  static boolean hasAffix(String text, Arguments arguments, boolean prefix) {
    arguments.expect(prefix ? "startswith" : "endswith", "affix", "start", "end");
    Object affixes = arguments.required(0, "affix");
    Window window = Window.of(text, arguments);
    List<Object> all =
        affixes instanceof Tuple tuple ? tuple.items() : List.of(Values.text(affixes));
    return window.exists()
        && all.stream()
            .map(Values::text)
            .anyMatch(
                affix -> prefix ? window.text().startsWith(affix) : window.text().endsWith(affix));
  }
}
