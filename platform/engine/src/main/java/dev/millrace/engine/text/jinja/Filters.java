package dev.millrace.engine.text.jinja;

import java.util.HashMap;
import java.util.Map;

/** What can stand after {@code |}. */
final class Filters {
  /** One filter, given the value on its left. */
  @FunctionalInterface
  interface Filter {
    Object apply(Object value, Arguments arguments, Meter meter);
  }

  private static final Map<String, Filter> FILTERS = table();

  private Filters() {}

  private static Map<String, Filter> table() {
    var all = new HashMap<String, Filter>();
    all.putAll(TextFilters.TABLE);
    all.putAll(ValueFilters.TABLE);
    all.putAll(SequenceFilters.TABLE);
    all.putAll(SelectionFilters.TABLE);
    return Map.copyOf(all);
  }

  static boolean exists(String name) {
    return FILTERS.containsKey(name);
  }

  static Object apply(String name, Object value, Arguments arguments, Meter meter) {
    Filter filter = FILTERS.get(name);
    if (filter == null) {
      throw JinjaException.fault("No filter named '" + name + "' found.");
    }
    return filter.apply(value, arguments, meter);
  }
}
