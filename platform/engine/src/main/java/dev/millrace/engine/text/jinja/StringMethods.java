package dev.millrace.engine.text.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The methods of Python's {@code str}. */
final class StringMethods {
  @FunctionalInterface
  private interface Method {
    Object call(String self, Arguments arguments, Meter meter);
  }

  private static final Map<String, Method> METHODS =
      Map.ofEntries(
          plain("upper", s -> s.toUpperCase(Locale.ROOT)),
          plain("lower", s -> s.toLowerCase(Locale.ROOT)),
          plain("casefold", Cases::fold),
          plain("title", Cases::title),
          plain("capitalize", Cases::capitalize),
          plain("swapcase", Cases::swap),
          plain("isupper", s -> Cases.isCased(s, Character::isUpperCase)),
          plain("istitle", Cases::isTitle),
          plain("islower", s -> Cases.isCased(s, Character::isLowerCase)),
          plain("isdigit", s -> Cases.all(s, Character::isDigit)),
          plain("isdecimal", s -> Cases.all(s, Character::isDigit)),
          plain("isnumeric", s -> Cases.all(s, Cases::isNumeric)),
          plain("isalpha", s -> Cases.all(s, Character::isLetter)),
          plain("isalnum", s -> Cases.all(s, p -> Character.isLetter(p) || Cases.isNumeric(p))),
          plain("isspace", s -> Cases.all(s, Chars::isSpace)),
          plain("isascii", s -> s.chars().allMatch(c -> c < 0x80)),
          plain("isidentifier", s -> s.matches("[\\p{L}\\p{Nl}_][\\p{L}\\p{Nl}\\p{M}\\p{Nd}_]*")),
          Map.entry("strip", (s, a, m) -> strip(s, a, true, true)),
          Map.entry("lstrip", (s, a, m) -> strip(s, a, true, false)),
          Map.entry("rstrip", (s, a, m) -> strip(s, a, false, true)),
          Map.entry("split", (s, a, m) -> Splitting.split(s, a)),
          Map.entry("rsplit", (s, a, m) -> Splitting.splitFromRight(s, a)),
          Map.entry("splitlines", (s, a, m) -> Splitting.lines(s, a.flag(0, "keepends", false))),
          Map.entry("partition", (s, a, m) -> Splitting.partition(s, a, false)),
          Map.entry("rpartition", (s, a, m) -> Splitting.partition(s, a, true)),
          Map.entry("startswith", (s, a, m) -> Searching.hasAffix(s, a, true)),
          Map.entry("endswith", (s, a, m) -> Searching.hasAffix(s, a, false)),
          Map.entry("find", (s, a, m) -> Searching.find(s, a, false)),
          Map.entry("rfind", (s, a, m) -> Searching.find(s, a, true)),
          Map.entry("index", (s, a, m) -> Searching.index(s, a, false)),
          Map.entry("rindex", (s, a, m) -> Searching.index(s, a, true)),
          Map.entry("count", (s, a, m) -> Searching.count(s, a)),
          Map.entry("replace", StringMethods::replace),
          Map.entry("join", (s, a, m) -> join(s, Values.list(a.required(0, "iterable")), m)),
          Map.entry("format", BraceFormat::format),
          Map.entry("removeprefix", (s, a, m) -> removePrefix(s, a.text(0, "prefix"))),
          Map.entry("removesuffix", (s, a, m) -> removeSuffix(s, a.text(0, "suffix"))),
          Map.entry("zfill", (s, a, m) -> Padding.zeros(s, a.integer(0, "width", 0), m)),
          Map.entry("center", (s, a, m) -> Padding.pad(s, a, Padding.Side.BOTH, m)),
          Map.entry("ljust", (s, a, m) -> Padding.pad(s, a, Padding.Side.RIGHT, m)),
          Map.entry("rjust", (s, a, m) -> Padding.pad(s, a, Padding.Side.LEFT, m)),
          Map.entry("expandtabs", (s, a, m) -> Padding.tabs(s, a.integer(0, "tabsize", 8), m)));

  /** Methods of safe text that escape the texts they are given. */
  private static final Set<String> ESCAPING =
      Set.of("replace", "join", "format", "partition", "rpartition", "split", "rsplit");

  private StringMethods() {}

  private static Map.Entry<String, Method> plain(
      String name, java.util.function.Function<String, Object> method) {
    return Map.entry(
        name,
        (self, arguments, _) -> {
          arguments.expect(name);
          return method.apply(self);
        });
  }

  /** The bound method of this name, or null. Methods of safe text give safe text. */
  static @Nullable Function find(String self, String name, boolean safe) {
    Method method = METHODS.get(name);
    if (method == null) {
      return null;
    }
    return (arguments, meter) -> {
      meter.make(self.length());
      boolean escape = safe && ESCAPING.contains(name);
      Object result = method.call(self, escape ? escaped(arguments, meter) : arguments, meter);
      if (result instanceof String text) {
        meter.make(text.length());
      }
      return safe ? safe(result) : result;
    };
  }

  private static Object safe(Object result) {
    return switch (result) {
      case String text -> new Safe(text);
      case List<?> list -> list.stream().<Object>map(StringMethods::safe).toList();
      case Tuple tuple -> new Tuple(tuple.items().stream().map(StringMethods::safe).toList());
      default -> result;
    };
  }

  private static Arguments escaped(Arguments arguments, Meter meter) {
    return new Arguments(
        arguments.positional().stream().map(value -> escaped(value, meter)).toList(),
        arguments.named());
  }

  /** A text, or the texts in a list or tuple, escaped. */
  static Object escaped(Object value, Meter meter) {
    return switch (value) {
      case String text -> Safe.escape(text, meter);
      case List<?> list -> list.stream().<Object>map(item -> escaped(item, meter)).toList();
      case Tuple tuple ->
          new Tuple(tuple.items().stream().map(item -> escaped(item, meter)).toList());
      default -> value;
    };
  }

  private static String strip(String self, Arguments arguments, boolean left, boolean right) {
    arguments.expect("strip", "chars");
    Object chars = arguments.get(0, "chars", None.NONE);
    String text = self;
    if (chars == None.NONE) {
      text = left ? Chars.stripLeft(text, Chars::isSpace) : text;
      return right ? Chars.stripRight(text, Chars::isSpace) : text;
    }
    String drop = Values.text(chars);
    text = left ? Chars.stripLeft(text, p -> drop.indexOf(p) >= 0) : text;
    return right ? Chars.stripRight(text, p -> drop.indexOf(p) >= 0) : text;
  }

  private static Object replace(String self, Arguments arguments, Meter meter) {
    arguments.expect("replace", "old", "new", "count");
    return replace(
        self,
        arguments.text(0, "old"),
        arguments.text(1, "new"),
        arguments.integer(2, "count", -1),
        meter);
  }

  static String replace(String self, String old, String with, long count, Meter meter) {
    if (count == 0 || (!old.isEmpty() && !self.contains(old))) {
      return self;
    }
    var out = new Output(meter);
    int at = 0;
    long left = count < 0 ? Long.MAX_VALUE : count;
    if (old.isEmpty()) {
      for (; left > 0; left--) {
        out.add(with);
        if (at == self.length()) {
          break;
        }
        int next = self.offsetByCodePoints(at, 1);
        out.add(self.substring(at, next));
        at = next;
      }
    } else {
      for (int hit = self.indexOf(old); hit >= 0 && left > 0; hit = self.indexOf(old, at)) {
        out.add(self.substring(at, hit));
        out.add(with);
        at = hit + old.length();
        left--;
      }
    }
    out.add(self.substring(at));
    return out.toString();
  }

  private static String join(String self, List<Object> items, Meter meter) {
    var out = new Output(meter);
    for (int i = 0; i < items.size(); i++) {
      if (!Values.isText(items.get(i))) {
        throw JinjaException.fault(
            "sequence item %d: expected str instance, %s found"
                .formatted(i, Values.typeName(items.get(i))));
      }
      out.add(i == 0 ? "" : self);
      out.add(Values.text(items.get(i)));
    }
    return out.toString();
  }

  private static String removePrefix(String self, String prefix) {
    return self.startsWith(prefix) ? self.substring(prefix.length()) : self;
  }

  private static String removeSuffix(String self, String suffix) {
    return self.endsWith(suffix) ? self.substring(0, self.length() - suffix.length()) : self;
  }
}
