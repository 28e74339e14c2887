package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Python's {@code json.dumps}, as chat templates call it through {@code tojson}. */
final class Json {
  private final boolean ascii;
  private final boolean sorted;
  private final boolean lines;
  private final String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final Meter meter;
  private final Output out;
  private int level;

  private Json(Arguments arguments, Meter meter) {
    arguments.expect("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    this.meter = meter;
    this.out = new Output(meter);
    this.ascii = arguments.flag(0, "ensure_ascii", false);
    Object by = arguments.get(1, "indent", None.NONE);
    this.lines = by != None.NONE;
    this.indent =
        switch (by) {
          case None _ -> "";
          case String text -> text;
          default -> Arithmetic.repeat(" ", Math.max(0, Numbers.index(by)), meter);
        };
    Object separators = arguments.get(2, "separators", None.NONE);
    if (separators == None.NONE) {
      this.itemSeparator = lines ? "," : ", ";
      this.keySeparator = ": ";
    } else {
      List<Object> pair = Values.list(separators);
      if (pair.size() != 2) {
        throw JinjaException.fault("separators must be two texts");
      }
      this.itemSeparator = Values.text(pair.get(0));
      this.keySeparator = Values.text(pair.get(1));
    }
    this.sorted = arguments.flag(3, "sort_keys", false);
  }

  static String dumps(Object value, Arguments arguments, Meter meter) {
    var json = new Json(arguments, meter);
    json.write(value);
    return json.out.toString();
  }

  private void write(Object value) {
    meter.step();
    switch (value) {
      case None _ -> out.add("null");
      case Boolean flag -> out.add(flag ? "true" : "false");
      case Double number -> out.add(number(number));
      case Number number -> out.add(number.toString());
      case String text -> out.add(quoted(text));
      case Safe safe -> out.add(quoted(safe.text()));
      case List<?> list -> array(list);
      case Tuple tuple -> array(tuple.items());
      case Dict dict -> object(dict);
      default ->
          throw JinjaException.fault(
              "Object of type " + Values.typeName(value) + " is not JSON serializable");
    }
  }

  private static String number(double number) {
    if (Double.isNaN(number)) {
      return "NaN";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "Infinity" : "-Infinity";
    }
    return Repr.number(number);
  }

  private void array(List<?> items) {
    if (items.isEmpty()) {
      out.add("[]");
      return;
    }
    open("[");
    String separator = "";
    for (Object item : items) {
      out.add(separator);
      newLine();
      write(item);
      separator = itemSeparator;
    }
    close("]");
  }

  private void object(Dict dict) {
    if (dict.size() == 0) {
      out.add("{}");
      return;
    }
    open("{");
    String separator = "";
    for (Dict.Entry entry : entries(dict)) {
      out.add(separator);
      newLine();
      out.add(quoted(key(entry.key())));
      out.add(keySeparator);
      write(entry.value());
      separator = itemSeparator;
    }
    close("}");
  }

  private List<Dict.Entry> entries(Dict dict) {
    var entries = new ArrayList<>(dict.entries());
    if (sorted) {
      entries.sort(Comparator.comparing(Dict.Entry::key, Comparison.order(meter)));
    }
    return entries;
  }

  private static String key(Object key) {
    return switch (key) {
      case String text -> text;
      case Safe safe -> safe.text();
      case None _ -> "null";
      case Boolean flag -> flag ? "true" : "false";
      case Double number -> number(number);
      case Number number -> number.toString();
      default ->
          throw JinjaException.fault(
              "keys must be str, int, float, bool or None, not " + Values.typeName(key));
    };
  }

  private void open(String bracket) {
    meter.enter();
    level++;
    out.add(bracket);
  }

  private void close(String bracket) {
    level--;
    newLine();
    out.add(bracket);
    meter.leave();
  }

  private void newLine() {
    if (lines) {
      out.add("\n");
      out.add(indent.repeat(level));
    }
  }

  private String quoted(String text) {
    meter.make(text.length());
    var quoted = new StringBuilder(text.length() + 2).append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> quoted.append("\\\"");
        case '\\' -> quoted.append("\\\\");
        case '\n' -> quoted.append("\\n");
        case '\r' -> quoted.append("\\r");
        case '\t' -> quoted.append("\\t");
        case '\f' -> quoted.append("\\f");
        case '\b' -> quoted.append("\\b");
        default -> {
          if (c < ' ' || (ascii && c > '~')) {
            quoted.append("\\u%04x".formatted((int) c));
          } else {
            quoted.append(c);
          }
        }
      }
    }
    return quoted.append('"').toString();
  }
}
