package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Works out expressions. */
final class Evaluator {
  private final Meter meter;

  Evaluator(Meter meter) {
    this.meter = meter;
  }

  Object evaluate(Expr expression, Scope scope) {
    meter.step();
    return switch (expression) {
      case Expr.Const(var value) -> value;
      case Expr.Name(var name) -> scope.get(name);
      case Expr.ListOf(var items) -> all(items, scope);
      case Expr.TupleOf(var items) -> new Tuple(all(items, scope));
      case Expr.DictOf dict -> dict(dict, scope);
      case Expr.Attribute(var object, var name) ->
          Access.attribute(evaluate(object, scope), name, meter);
      case Expr.Item item -> item(item, scope);
      case Expr.Slice _ -> throw JinjaException.fault("a slice is not a value");
      case Expr.Call(var callee, var args) -> call(evaluate(callee, scope), args, scope);
      case Expr.Filter(var input, var name, var args) ->
          Filters.apply(name, evaluate(input, scope), arguments(args, scope), meter);
      case Expr.Test(var input, var name, var args) ->
          Tests.apply(name, evaluate(input, scope), arguments(args, scope), meter);
      case Expr.Not(var operand) -> !Values.truth(evaluate(operand, scope));
      case Expr.Sign(var negative, var operand) -> {
        Object value = evaluate(operand, scope);
        yield negative ? Arithmetic.negate(value) : Arithmetic.positive(value);
      }
      case Expr.And(var left, var right) -> {
        Object value = evaluate(left, scope);
        yield Values.truth(value) ? evaluate(right, scope) : value;
      }
      case Expr.Or(var left, var right) -> {
        Object value = evaluate(left, scope);
        yield Values.truth(value) ? value : evaluate(right, scope);
      }
      case Expr.Binary(var operator, var left, var right) ->
          Arithmetic.binary(operator, evaluate(left, scope), evaluate(right, scope), meter);
      case Expr.Compare compare -> compare(compare, scope);
      case Expr.Concat(var parts) -> concat(parts, scope);
      case Expr.Conditional(var test, var yes, var no) -> {
        if (Values.truth(evaluate(test, scope))) {
          yield evaluate(yes, scope);
        }
        yield no == null
            ? new Undefined(
                "the inline if-expression evaluated to false and no else section was defined.")
            : evaluate(no, scope);
      }
    };
  }

  private List<Object> all(List<Expr> items, Scope scope) {
    var values = new ArrayList<Object>(items.size());
    for (Expr item : items) {
      values.add(evaluate(item, scope));
    }
    return values;
  }

  private Dict dict(Expr.DictOf literal, Scope scope) {
    var dict = new Dict();
    for (int i = 0; i < literal.keys().size(); i++) {
      dict.put(evaluate(literal.keys().get(i), scope), evaluate(literal.values().get(i), scope));
    }
    return dict;
  }

  private Object item(Expr.Item item, Scope scope) {
    Object object = evaluate(item.object(), scope);
    if (item.key() instanceof Expr.Slice(var from, var to, var step)) {
      return Access.slice(
          object, optional(from, scope), optional(to, scope), optional(step, scope), meter);
    }
    return Access.item(object, evaluate(item.key(), scope), meter);
  }

  private @Nullable Object optional(@Nullable Expr expression, Scope scope) {
    return expression == null ? null : evaluate(expression, scope);
  }

  private Object compare(Expr.Compare compare, Scope scope) {
    Object left = evaluate(compare.first(), scope);
    for (int i = 0; i < compare.operators().size(); i++) {
      Object right = evaluate(compare.rest().get(i), scope);
      if (!holds(compare.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private boolean holds(String operator, Object left, Object right) {
    return switch (operator) {
      case "==" -> Comparison.equal(left, right, meter);
      case "!=" -> !Comparison.equal(left, right, meter);
      case "in" -> Comparison.contains(right, left, meter);
      case "not in" -> !Comparison.contains(right, left, meter);
      default -> Comparison.ordered(operator, left, right, meter);
    };
  }

  private String concat(List<Expr> parts, Scope scope) {
    var text = new Output(meter);
    for (Expr part : parts) {
      text.add(Repr.str(evaluate(part, scope), meter));
    }
    return meter.made(text.toString());
  }

  Object call(Object callee, Expr.Args args, Scope scope) {
    return call(callee, arguments(args, scope));
  }

  Object call(Object callee, Arguments arguments) {
    return switch (callee) {
      case Function function -> function.call(arguments, meter);
      case Undefined undefined -> throw undefined.failure();
      default ->
          throw JinjaException.fault("'" + Values.typeName(callee) + "' object is not callable");
    };
  }

  Arguments arguments(Expr.Args args, Scope scope) {
    if (args.isEmpty()) {
      return Arguments.NONE;
    }
    List<Object> positional = all(args.positional(), scope);
    Map<String, Object> named = new LinkedHashMap<>();
    for (int i = 0; i < args.names().size(); i++) {
      put(args.names().get(i), evaluate(args.named().get(i), scope), named);
    }
    if (args.star() != null) {
      positional.addAll(Values.list(evaluate(args.star(), scope)));
    }
    if (args.starStar() != null) {
      if (!(evaluate(args.starStar(), scope) instanceof Dict dict)) {
        throw JinjaException.fault("argument after ** must be a mapping");
      }
      dict.entries().forEach(e -> put(Values.text(e.key()), e.value(), named));
    }
    return new Arguments(positional, named);
  }

  private static void put(String name, Object value, Map<String, Object> named) {
    if (named.put(name, value) != null) {
      throw JinjaException.fault("got multiple values for keyword argument '" + name + "'");
    }
  }
}
