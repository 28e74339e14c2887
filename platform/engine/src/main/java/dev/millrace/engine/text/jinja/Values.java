package dev.millrace.engine.text.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The values of a template: {@link None}, Boolean, Long, BigInteger, Double, String, {@link Safe},
 * List, {@link Tuple}, {@link Dict}, {@link DictView}, {@link Range}, {@link Generator}, {@link
 * Namespace}, {@link Function}, {@link LoopState} and {@link Undefined}.
 */
final class Values {
  private Values() {}

  /** Copies a plain Java value (Map, List, String, number, Boolean, null) into a template value. */
  static Object adopt(@Nullable Object value, Meter meter) {
    meter.step();
    return switch (value) {
      case null -> None.NONE;
      case String _, Boolean _, Long _, Double _ -> value;
      case Integer number -> number.longValue();
      case Short number -> number.longValue();
      case Byte number -> number.longValue();
      case Float number -> number.doubleValue();
      case BigInteger number -> Numbers.narrow(number);
      case java.math.BigDecimal number -> number.doubleValue();
      case Map<?, ?> map -> {
        meter.enter();
        var dict = new Dict();
        map.forEach((key, item) -> dict.put(adopt(key, meter), adopt(item, meter)));
        meter.leave();
        yield dict;
      }
      case Iterable<?> items -> {
        meter.enter();
        var list = new ArrayList<Object>();
        items.forEach(item -> list.add(adopt(item, meter)));
        meter.leave();
        yield list;
      }
      default ->
          throw new IllegalArgumentException(
              "a template takes maps, lists, strings, numbers, booleans and null, not "
                  + value.getClass().getName());
    };
  }

  static String typeName(Object value) {
    return switch (value) {
      case None _ -> "NoneType";
      case Boolean _ -> "bool";
      case Long _, BigInteger _ -> "int";
      case Double _ -> "float";
      case String _ -> "str";
      case Safe _ -> "Markup";
      case List<?> _ -> "list";
      case Tuple _ -> "tuple";
      case Dict _ -> "dict";
      case DictView view ->
          switch (view.kind()) {
            case KEYS -> "dict_keys";
            case VALUES -> "dict_values";
            case ITEMS -> "dict_items";
          };
      case Range _ -> "range";
      case Generator _ -> "generator";
      case Undefined _ -> "Undefined";
      case Namespace _ -> "Namespace";
      case LoopState _ -> "LoopContext";
      case Macro _ -> "Macro";
      default -> "function";
    };
  }

  static boolean truth(Object value) {
    return switch (value) {
      case None _, Undefined _ -> false;
      case Boolean flag -> flag;
      case Long number -> number != 0;
      case Double number -> number != 0;
      case String text -> !text.isEmpty();
      case Safe safe -> !safe.text().isEmpty();
      case List<?> list -> !list.isEmpty();
      case Tuple tuple -> !tuple.items().isEmpty();
      case Dict dict -> dict.size() > 0;
      case DictView view -> view.dict().size() > 0;
      case Range range -> range.length() > 0;
      default -> true;
    };
  }

  static boolean isText(Object value) {
    return value instanceof String || value instanceof Safe;
  }

  /** The text of a string; anything else is an error. */
  static String text(Object value) {
    return switch (value) {
      case String text -> text;
      case Safe safe -> safe.text();
      case Undefined undefined -> throw undefined.failure();
      default -> throw JinjaException.fault("expected a str, got '" + typeName(value) + "' object");
    };
  }

  /** Python's {@code iter(value)}. */
  static Iterator<Object> iterate(Object value) {
    return value instanceof Generator generator ? generator.iterator() : list(value).iterator();
  }

  /** Python's {@code list(value)}, possibly the very list; not to be changed. */
  @SuppressWarnings("unchecked")
  static List<Object> list(Object value) {
    return switch (value) {
      case List<?> list -> (List<Object>) list;
      case Tuple tuple -> tuple.items();
      case Dict dict -> dict.keys();
      case DictView view -> view.list();
      case Range range -> range.list();
      case String text -> characters(text);
      case Safe safe -> characters(safe.text());
      case Undefined _ -> List.of();
      case Generator generator -> {
        var list = new ArrayList<Object>();
        generator.iterator().forEachRemaining(list::add);
        yield list;
      }
      default -> throw JinjaException.fault("'" + typeName(value) + "' object is not iterable");
    };
  }

  private static List<Object> characters(String text) {
    var list = new ArrayList<Object>(text.length());
    text.codePoints().forEach(point -> list.add(Character.toString(point)));
    return list;
  }

  static boolean isIterable(Object value) {
    return switch (value) {
      case None _, Boolean _, Long _, BigInteger _, Double _, Namespace _, Function _ -> false;
      default -> true;
    };
  }

  /** Whether {@code len} and {@code [...]} work. */
  static boolean isSequence(Object value) {
    return switch (value) {
      case String _, Safe _, List<?> _, Tuple _, Dict _, Range _, Undefined _ -> true;
      default -> false;
    };
  }

  /** Python's {@code len(value)}. */
  static long length(Object value) {
    return switch (value) {
      case String text -> Chars.length(text);
      case Safe safe -> Chars.length(safe.text());
      case List<?> list -> list.size();
      case Tuple tuple -> tuple.items().size();
      case Dict dict -> dict.size();
      case DictView view -> view.dict().size();
      case Range range -> range.length();
      case LoopState loop -> loop.length();
      case Undefined _ -> 0;
      default ->
          throw JinjaException.fault("object of type '" + typeName(value) + "' has no len()");
    };
  }
}
