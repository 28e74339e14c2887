package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A macro, or the body of a call block, bound to the scope it was written in. */
record Macro(String name, Stmt.Signature signature, Scope scope, Interpreter interpreter)
    implements Function {

  @Override
  public Object call(Arguments arguments, Meter meter) {
    meter.enter();
    Scope inner = scope.inner();
    bind(arguments, inner);
    var out = new Output(meter);
    int line = meter.line();
    interpreter.run(signature.body(), inner, out);
    meter.line(line);
    meter.leave();
    return out.toString();
  }

  private void bind(Arguments arguments, Scope inner) {
    List<String> parameters = signature.parameters();
    Map<String, Object> named = new LinkedHashMap<>(arguments.named());
    List<Object> given = arguments.positional();
    int firstDefault = parameters.size() - signature.defaults().size();
    for (int i = 0; i < parameters.size(); i++) {
      String parameter = parameters.get(i);
      Object byName = i < given.size() ? null : named.remove(parameter);
      if (i < given.size()) {
        inner.set(parameter, given.get(i));
      } else if (byName != null) {
        inner.set(parameter, byName);
      } else if (i >= firstDefault) {
        Expr otherwise = signature.defaults().get(i - firstDefault);
        inner.set(parameter, interpreter.evaluator().evaluate(otherwise, inner));
      } else {
        inner.set(parameter, new Undefined("parameter '" + parameter + "' was not provided"));
      }
    }
    bindImplicit(given, named, inner);
  }

  private void bindImplicit(List<Object> given, Map<String, Object> named, Scope inner) {
    if (signature.usesCaller()) {
      Object caller = named.remove("caller");
      inner.set("caller", Objects.requireNonNullElseGet(caller, Macro::noCaller));
    }
    if (signature.usesKwargs()) {
      var rest = new Dict();
      named.forEach(rest::put);
      inner.set("kwargs", rest);
    } else if (!named.isEmpty()) {
      throw JinjaException.fault(
          "macro '%s' takes no keyword argument '%s'"
              .formatted(name, named.keySet().iterator().next()));
    }
    int count = signature.parameters().size();
    if (signature.usesVarargs()) {
      inner.set(
          "varargs",
          new Tuple(new ArrayList<>(given.subList(Math.min(count, given.size()), given.size()))));
    } else if (given.size() > count) {
      throw JinjaException.fault(
          "macro '%s' takes not more than %d argument(s)".formatted(name, count));
    }
  }

  private static Object noCaller() {
    return new Undefined("No caller defined");
  }

  /** A macro is equal only to itself. */
  @Override
  public boolean equals(Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
