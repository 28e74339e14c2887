package dev.millrace.engine.text.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The evaluated arguments of a call, read by position or by name. */
record Arguments(List<Object> positional, Map<String, Object> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  static Arguments of(Object... values) {
    return new Arguments(List.of(values), Map.of());
  }

  /** Refuses more arguments than there are parameters, unknown names and values given twice. */
  void expect(String callee, String... parameters) {
    if (positional.size() > parameters.length) {
      throw JinjaException.fault(
          callee
              + "() takes at most "
              + parameters.length
              + " arguments, got "
              + positional.size());
    }
    for (String name : named.keySet()) {
      int at = List.of(parameters).indexOf(name);
      if (at < 0) {
        throw JinjaException.fault(callee + "() got an unexpected keyword argument '" + name + "'");
      }
      if (at < positional.size()) {
        throw JinjaException.fault(callee + "() got multiple values for argument '" + name + "'");
      }
    }
  }

  @Nullable Object find(int position, String name) {
    return position < positional.size() ? positional.get(position) : named.get(name);
  }

  Object get(int position, String name, Object otherwise) {
    Object value = find(position, name);
    return value == null ? otherwise : value;
  }

  Object required(int position, String name) {
    Object value = find(position, name);
    if (value == null) {
      throw JinjaException.fault("missing required argument '" + name + "'");
    }
    return value;
  }

  boolean flag(int position, String name, boolean otherwise) {
    Object value = find(position, name);
    return value == null ? otherwise : Values.truth(value);
  }

  /** An integer argument; None counts as absent. */
  long integer(int position, String name, long otherwise) {
    Object value = find(position, name);
    return value == null || value == None.NONE ? otherwise : Numbers.index(value);
  }

  /** A text argument, refused if it is something else. */
  String text(int position, String name) {
    return Values.text(required(position, name));
  }

  /** These arguments without the first positional ones. */
  Arguments from(int position) {
    int start = Math.min(position, positional.size());
    return new Arguments(positional.subList(start, positional.size()), named);
  }
}
