package dev.millrace.engine.text.jinja;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What can stand after {@code is}. */
final class Tests {
  @FunctionalInterface
  private interface Test {
    boolean holds(Object value, Arguments arguments, Meter meter);
  }

  private static final Map<String, Test> TESTS =
      Map.ofEntries(
          Map.entry("defined", (v, a, m) -> !(v instanceof Undefined)),
          Map.entry("undefined", (v, a, m) -> v instanceof Undefined),
          Map.entry("none", (v, a, m) -> v == None.NONE),
          Map.entry("boolean", (v, a, m) -> v instanceof Boolean),
          Map.entry("true", (v, a, m) -> Boolean.TRUE.equals(v)),
          Map.entry("false", (v, a, m) -> Boolean.FALSE.equals(v)),
          Map.entry("integer", (v, a, m) -> Numbers.isInteger(v) && !(v instanceof Boolean)),
          Map.entry("float", (v, a, m) -> v instanceof Double),
          Map.entry("number", (v, a, m) -> Numbers.isNumber(v)),
          Map.entry("string", (v, a, m) -> Values.isText(v)),
          Map.entry("mapping", (v, a, m) -> v instanceof Dict),
          Map.entry("sequence", (v, a, m) -> Values.isSequence(v)),
          Map.entry("iterable", (v, a, m) -> Values.isIterable(v)),
          Map.entry("callable", (v, a, m) -> v instanceof Function || v instanceof Undefined),
          Map.entry("escaped", (v, a, m) -> v instanceof Safe),
          Map.entry("odd", (v, a, m) -> remainder(v, 2L, m) == 1),
          Map.entry("even", (v, a, m) -> remainder(v, 2L, m) == 0),
          Map.entry("divisibleby", (v, a, m) -> remainder(v, a.required(0, "num"), m) == 0),
          Map.entry("lower", (v, a, m) -> Cases.isCased(Repr.str(v, m), Character::isLowerCase)),
          Map.entry("upper", (v, a, m) -> Cases.isCased(Repr.str(v, m), Character::isUpperCase)),
          Map.entry("sameas", (v, a, m) -> same(v, a.required(0, "other"))),
          Map.entry("in", (v, a, m) -> Comparison.contains(a.required(0, "seq"), v, m)),
          Map.entry("filter", (v, a, m) -> v instanceof String name && Filters.exists(name)),
          Map.entry("test", (v, a, m) -> v instanceof String name && exists(name)),
          Map.entry("eq", Tests::equal),
          Map.entry("equalto", Tests::equal),
          Map.entry("==", Tests::equal),
          Map.entry("ne", (v, a, m) -> !equal(v, a, m)),
          Map.entry("!=", (v, a, m) -> !equal(v, a, m)),
          Map.entry("lt", ordered("<")),
          Map.entry("lessthan", ordered("<")),
          Map.entry("<", ordered("<")),
          Map.entry("le", ordered("<=")),
          Map.entry("<=", ordered("<=")),
          Map.entry("gt", ordered(">")),
          Map.entry("greaterthan", ordered(">")),
          Map.entry(">", ordered(">")),
          Map.entry("ge", ordered(">=")),
          Map.entry(">=", ordered(">=")));

  private Tests() {}

  static boolean exists(String name) {
    return TESTS.containsKey(name);
  }

  static boolean apply(String name, Object value, Arguments arguments, Meter meter) {
    @Nullable Test test = TESTS.get(name);
    if (test == null) {
      throw JinjaException.fault("No test named '" + name + "' found.");
    }
    return test.holds(value, arguments, meter);
  }

  private static boolean equal(Object value, Arguments arguments, Meter meter) {
    return Comparison.equal(value, arguments.required(0, "other"), meter);
  }

  private static Test ordered(String operator) {
    return (value, arguments, meter) ->
        Comparison.ordered(operator, value, arguments.required(0, "other"), meter);
  }

  private static double remainder(Object value, Object divisor, Meter meter) {
    return Numbers.real(Arithmetic.binary("%", value, divisor, meter));
  }

  /** Python's identity: the same object, or one of the values that exist only once. */
  @SuppressWarnings("ReferenceEquality")
  private static boolean same(Object a, Object b) {
    if (a instanceof Long x && b instanceof Long y) {
      return x.equals(y) && x >= -5 && x <= 256;
    }
    return a == b || (a instanceof Boolean && a.equals(b));
  }
}
