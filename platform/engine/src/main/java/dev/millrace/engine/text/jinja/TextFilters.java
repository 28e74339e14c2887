package dev.millrace.engine.text.jinja;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Filters that make text. Anything can be given; its {@code str} is what they work on. */
final class TextFilters {
  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{M}\\p{N}_]+");
  private static final Pattern WORD_START =
      Pattern.compile("[-\\s(\\[{<]+|[^-\\s(\\[{<]+", Pattern.UNICODE_CHARACTER_CLASS);

  static final Map<String, Filters.Filter> TABLE =
      Map.ofEntries(
          text("upper", s -> s.toUpperCase(Locale.ROOT)),
          text("lower", s -> s.toLowerCase(Locale.ROOT)),
          text("capitalize", Cases::capitalize),
          text("title", TextFilters::title),
          Map.entry("string", (v, a, m) -> v instanceof Safe ? v : Repr.str(v, m)),
          Map.entry("safe", (v, a, m) -> new Safe(Repr.str(v, m))),
          Map.entry("escape", (v, a, m) -> Safe.escape(v, m)),
          Map.entry("e", (v, a, m) -> Safe.escape(v, m)),
          Map.entry("forceescape", (v, a, m) -> Safe.escape(Repr.str(v, m), m)),
          Map.entry("trim", TextFilters::trim),
          Map.entry("replace", TextFilters::replace),
          Map.entry("indent", TextFilters::indent),
          Map.entry("truncate", TextFilters::truncate),
          Map.entry("center", TextFilters::center),
          Map.entry("wordcount", (v, a, m) -> WORD.matcher(Repr.str(v, m)).results().count()),
          Map.entry("format", TextFilters::format),
          Map.entry("urlencode", (v, a, m) -> urlEncode(Repr.str(v, m), m)),
          Map.entry("tojson", Json::dumps));

  private TextFilters() {}

  private static Map.Entry<String, Filters.Filter> text(String name, UnaryOperator<String> change) {
    return Map.entry(
        name,
        (value, arguments, meter) -> {
          arguments.expect(name);
          return like(value, meter.made(change.apply(Repr.str(value, meter))));
        });
  }

  /** Safe text stays safe. */
  private static Object like(Object value, String text) {
    return value instanceof Safe ? new Safe(text) : text;
  }

  private static String title(String text) {
    var out = new StringBuilder(text.length());
    Matcher parts = WORD_START.matcher(text);
    while (parts.find()) {
      String word = parts.group();
      int first = Character.charCount(word.codePointAt(0));
      out.append(word.substring(0, first).toUpperCase(Locale.ROOT));
      out.append(word.substring(first).toLowerCase(Locale.ROOT));
    }
    return out.toString();
  }

  private static Object trim(Object value, Arguments arguments, Meter meter) {
    Function strip = StringMethods.find(Repr.str(value, meter), "strip", value instanceof Safe);
    if (strip == null) {
      throw new AssertionError("str has a strip method");
    }
    return strip.call(arguments, meter);
  }

  private static Object replace(Object value, Arguments arguments, Meter meter) {
    arguments.expect("replace", "old", "new", "count");
    return StringMethods.replace(
        Repr.str(value, meter),
        Repr.str(arguments.required(0, "old"), meter),
        Repr.str(arguments.required(1, "new"), meter),
        arguments.integer(2, "count", -1),
        meter);
  }

  private static Object indent(Object value, Arguments arguments, Meter meter) {
    arguments.expect("indent", "width", "first", "blank");
    Object width = arguments.get(0, "width", 4L);
    String margin =
        Values.isText(width)
            ? Values.text(width)
            : Arithmetic.repeat(" ", Math.max(0, Numbers.index(width)), meter);
    boolean blank = arguments.flag(2, "blank", false);
    List<Object> lines = Splitting.lines(Values.text(value) + "\n", false);
    var out = new Output(meter);
    for (int i = 0; i < lines.size(); i++) {
      String line = Values.text(lines.get(i));
      boolean indented = i == 0 ? arguments.flag(1, "first", false) : blank || !line.isEmpty();
      out.add(i == 0 ? "" : "\n");
      out.add(indented ? margin : "");
      out.add(line);
    }
    return like(value, out.toString());
  }

  private static Object truncate(Object value, Arguments arguments, Meter meter) {
    arguments.expect("truncate", "length", "killwords", "end", "leeway");
    long length = arguments.integer(0, "length", 255);
    String end = Values.text(arguments.get(2, "end", "..."));
    long leeway = arguments.integer(3, "leeway", 5);
    long kept = length - Chars.length(end);
    if (kept < 0 || leeway < 0) {
      throw JinjaException.fault("truncate needs a length of at least that of its end");
    }
    if (Values.length(value) <= length + leeway) {
      return value;
    }
    String text = Values.text(value);
    String head = text.substring(0, Chars.offset(text, (int) kept));
    int space = head.lastIndexOf(' ');
    boolean cutWord = arguments.flag(1, "killwords", false) || space < 0;
    return like(value, (cutWord ? head : head.substring(0, space)) + end);
  }

  private static Object center(Object value, Arguments arguments, Meter meter) {
    arguments.expect("center", "width");
    long width = arguments.integer(0, "width", 80);
    return like(value, Padding.pad(Repr.str(value, meter), width, " ", Padding.Side.BOTH, meter));
  }

  private static Object format(Object value, Arguments arguments, Meter meter) {
    Object values = new Tuple(arguments.positional());
    if (!arguments.named().isEmpty()) {
      var dict = new Dict();
      arguments.named().forEach(dict::put);
      values = dict;
    }
    return like(value, PercentFormat.format(Repr.str(value, meter), values, meter));
  }

  private static Object urlEncode(String text, Meter meter) {
    var out = new StringBuilder(text.length());
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      boolean plain = b > ' ' && (Character.isLetterOrDigit(b) || "_.-~/".indexOf(b) >= 0);
      if (plain) {
        out.append((char) b);
      } else {
        out.append("%%%02X".formatted(b));
      }
    }
    return meter.made(out.toString());
  }
}
