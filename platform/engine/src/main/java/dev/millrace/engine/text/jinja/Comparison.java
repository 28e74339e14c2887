package dev.millrace.engine.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;

/** Python's {@code ==}, {@code <} and {@code in}. */
final class Comparison {
  private Comparison() {}

  static boolean equal(Object a, Object b, Meter meter) {
    meter.step();
    if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
      return numbersEqual(a, b);
    }
    if (Values.isText(a) && Values.isText(b)) {
      return Values.text(a).equals(Values.text(b));
    }
    return switch (a) {
      case List<?> list -> b instanceof List<?> other && itemsEqual(list, other, meter);
      case Tuple tuple ->
          b instanceof Tuple other && itemsEqual(tuple.items(), other.items(), meter);
      case Dict dict -> b instanceof Dict other && dictsEqual(dict, other, meter);
      case Range range -> b instanceof Range other && range.list().equals(other.list());
      case Undefined _ -> b instanceof Undefined;
      default -> a.equals(b);
    };
  }

  private static boolean numbersEqual(Object a, Object b) {
    if (a instanceof Long x && b instanceof Long y) {
      return x.longValue() == y.longValue();
    }
    if (isNan(a) || isNan(b)) {
      return false;
    }
    return compareNumbers(a, b) == 0;
  }

  private static boolean isNan(Object value) {
    return value instanceof Double number && number.isNaN();
  }

  private static int compareNumbers(Object a, Object b) {
    if (Numbers.isInteger(a) && Numbers.isInteger(b)) {
      return a instanceof Long x && b instanceof Long y
          ? Long.compare(x, y)
          : Numbers.big(a).compareTo(Numbers.big(b));
    }
    double x = Numbers.real(a);
    double y = Numbers.real(b);
    if (x != y || Double.isInfinite(x)) {
      return Double.compare(x, y);
    }
    return exact(a).compareTo(exact(b));
  }

  private static BigDecimal exact(Object number) {
    return switch (number) {
      case Double value -> value == 0 ? BigDecimal.ZERO : new BigDecimal(value);
      case BigInteger value -> new BigDecimal(value);
      default -> BigDecimal.valueOf(Numbers.index(number));
    };
  }

  private static boolean itemsEqual(List<?> a, List<?> b, Meter meter) {
    if (a.size() != b.size()) {
      return false;
    }
    meter.enter();
    boolean same = true;
    Iterator<?> others = b.iterator();
    for (Object item : a) {
      if (!equal(item, others.next(), meter)) {
        same = false;
        break;
      }
    }
    meter.leave();
    return same;
  }

  private static boolean dictsEqual(Dict a, Dict b, Meter meter) {
    if (a.size() != b.size()) {
      return false;
    }
    meter.enter();
    boolean same = true;
    for (Dict.Entry entry : a.entries()) {
      Object other = b.get(entry.key());
      if (other == null || !equal(entry.value(), other, meter)) {
        same = false;
        break;
      }
    }
    meter.leave();
    return same;
  }

  /** Whether {@code a operator b} holds, for {@code < <= > >=}. */
  static boolean ordered(String operator, Object a, Object b, Meter meter) {
    if (isNan(a) || isNan(b)) {
      return false;
    }
    int order = compare(operator, a, b, meter);
    return switch (operator) {
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  /** The order sorting uses. */
  static Comparator<Object> order(Meter meter) {
    return (a, b) -> compare("<", a, b, meter);
  }

  private static int compare(String operator, Object a, Object b, Meter meter) {
    meter.step();
    if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
      return compareNumbers(a, b);
    }
    if (Values.isText(a) && Values.isText(b)) {
      return compareTexts(Values.text(a), Values.text(b));
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      return compareItems(operator, x, y, meter);
    }
    if (a instanceof Tuple x && b instanceof Tuple y) {
      return compareItems(operator, x.items(), y.items(), meter);
    }
    if (a instanceof Undefined undefined) {
      throw undefined.failure();
    }
    if (b instanceof Undefined undefined) {
      throw undefined.failure();
    }
    throw JinjaException.fault(
        "'%s' not supported between instances of '%s' and '%s'"
            .formatted(operator, Values.typeName(a), Values.typeName(b)));
  }

  /** By code point, where Java would compare UTF-16 units. */
  private static int compareTexts(String a, String b) {
    int length = Math.min(a.length(), b.length());
    for (int i = 0; i < length; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        boolean surrogates = Character.isSurrogate(x) != Character.isSurrogate(y);
        return surrogates ? (Character.isSurrogate(x) ? 1 : -1) : Character.compare(x, y);
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  private static int compareItems(String operator, List<?> a, List<?> b, Meter meter) {
    meter.enter();
    int order = Integer.compare(a.size(), b.size());
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      if (!equal(a.get(i), b.get(i), meter)) {
        order = compare(operator, a.get(i), b.get(i), meter);
        break;
      }
    }
    meter.leave();
    return order;
  }

  /** Python's {@code item in container}. */
  static boolean contains(Object container, Object item, Meter meter) {
    if (Values.isText(container)) {
      if (item instanceof Undefined undefined) {
        throw undefined.failure();
      }
      if (!Values.isText(item)) {
        throw JinjaException.fault(
            "'in <string>' requires string as left operand, not " + Values.typeName(item));
      }
      String text = Values.text(container);
      meter.make(text.length());
      return text.contains(Values.text(item));
    }
    if (container instanceof Dict dict) {
      return dict.get(item) != null;
    }
    if (container instanceof DictView(var dict, var kind) && kind == DictView.Kind.KEYS) {
      return dict.get(item) != null;
    }
    if (!Values.isIterable(container)) {
      throw JinjaException.fault(
          "argument of type '" + Values.typeName(container) + "' is not a container or iterable");
    }
    Iterator<Object> items = Values.iterate(container);
    while (items.hasNext()) {
      if (equal(items.next(), item, meter)) {
        return true;
      }
    }
    return false;
  }
}
