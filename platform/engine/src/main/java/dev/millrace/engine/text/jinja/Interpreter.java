package dev.millrace.engine.text.jinja;

import dev.millrace.engine.text.jinja.Stmt.Target;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** Runs statements, writing what they print. */
final class Interpreter {
  /** How a run of statements ended. */
  enum End {
    NORMAL,
    BREAK,
    CONTINUE
  }

  private final Meter meter;
  private final Evaluator evaluator;

  Interpreter(Meter meter) {
    this.meter = meter;
    this.evaluator = new Evaluator(meter);
  }

  Evaluator evaluator() {
    return evaluator;
  }

  End run(List<Stmt> statements, Scope scope, Output out) {
    for (Stmt statement : statements) {
      End end = run(statement, scope, out);
      if (end != End.NORMAL) {
        return end;
      }
    }
    return End.NORMAL;
  }

  private End run(Stmt statement, Scope scope, Output out) {
    meter.step();
    return switch (statement) {
      case Stmt.Text(var text) -> {
        out.add(text);
        yield End.NORMAL;
      }
      case Stmt.Print(var value, var line) -> {
        out.add(Repr.str(evaluate(value, scope, line), meter));
        yield End.NORMAL;
      }
      case Stmt.If branch -> {
        boolean test = Values.truth(evaluate(branch.test(), scope, branch.line()));
        yield run(test ? branch.then() : branch.orElse(), scope, out);
      }
      case Stmt.For loop -> {
        Object items = evaluate(loop.items(), scope, loop.line());
        yield loop(loop, items, scope, out, 1);
      }
      case Stmt.Assign(var target, var value, var line) -> {
        assign(target, evaluate(value, scope, line), scope);
        yield End.NORMAL;
      }
      case Stmt.AssignBlock(var target, var filter, var body, var line) ->
          assignBlock(target, filter, body, line, scope);
      case Stmt.FilterBlock(var filter, var body, var line) -> {
        var captured = new Output(meter);
        Scope inner = scope.inner();
        End end = run(body, inner, captured);
        if (end == End.NORMAL) {
          inner.set(Stmt.CAPTURED, captured.toString());
          out.add(Repr.str(evaluate(filter, inner, line), meter));
        }
        yield end;
      }
      case Stmt.Define(var name, var signature, var _) -> {
        scope.set(name, new Macro(name, signature, scope, this));
        yield End.NORMAL;
      }
      case Stmt.CallBlock block -> {
        meter.line(block.line());
        out.add(Repr.str(callBlock(block, scope), meter));
        yield End.NORMAL;
      }
      case Stmt.With(var targets, var values, var body, var line) -> {
        Scope inner = scope.inner();
        for (int i = 0; i < targets.size(); i++) {
          assign(targets.get(i), evaluate(values.get(i), scope, line), inner);
        }
        yield run(body, inner, out);
      }
      case Stmt.Scoped(var body) -> run(body, scope.inner(), out);
      case Stmt.Break _ -> End.BREAK;
      case Stmt.Continue _ -> End.CONTINUE;
    };
  }

  private Object evaluate(Expr expression, Scope scope, int line) {
    meter.line(line);
    return evaluator.evaluate(expression, scope);
  }

  private End assignBlock(
      Target target, @Nullable Expr filter, List<Stmt> body, int line, Scope scope) {
    var captured = new Output(meter);
    Scope inner = scope.inner();
    End end = run(body, inner, captured);
    if (end == End.NORMAL) {
      Object value = meter.made(captured.toString());
      if (filter != null) {
        inner.set(Stmt.CAPTURED, value);
        value = evaluate(filter, inner, line);
      }
      assign(target, value, scope);
    }
    return end;
  }

  private Object callBlock(Stmt.CallBlock block, Scope scope) {
    Object callee = evaluator.evaluate(block.call().callee(), scope);
    Arguments arguments = evaluator.arguments(block.call().args(), scope);
    Map<String, Object> named = new LinkedHashMap<>(arguments.named());
    named.put("caller", new Macro("caller", block.caller(), scope, this));
    return evaluator.call(callee, new Arguments(arguments.positional(), named));
  }

  /** The end of a loop is normal, unless its else part leaves the loop around it. */
  private End loop(Stmt.For loop, Object items, Scope scope, Output out, int depth) {
    Iterator<Object> source = Values.iterate(items);
    Expr only = loop.only();
    if (only != null) {
      source = filtered(source, loop.target(), only, scope);
    }
    Function recursion = loop.recursive() ? recursion(loop, scope, depth) : null;
    var state = new LoopState(source, depth, recursion);
    boolean ran = false;
    while (state.hasNext()) {
      ran = true;
      meter.step();
      Scope inner = scope.inner();
      inner.set("loop", state);
      meter.line(loop.line());
      assign(loop.target(), state.next(), inner);
      if (run(loop.body(), inner, out) == End.BREAK) {
        break;
      }
    }
    return ran ? End.NORMAL : run(loop.orElse(), scope.inner(), out);
  }

  private Function recursion(Stmt.For loop, Scope scope, int depth) {
    return (arguments, _) -> {
      meter.enter();
      var out = new Output(meter);
      var _ = loop(loop, arguments.required(0, "iterable"), scope, out, depth + 1);
      meter.leave();
      return out.toString();
    };
  }

  private Iterator<Object> filtered(
      Iterator<Object> source, Target target, Expr only, Scope scope) {
    return new Iterator<>() {
      private @Nullable Object next;

      @Override
      public boolean hasNext() {
        while (next == null && source.hasNext()) {
          Object candidate = source.next();
          Scope inner = scope.inner();
          assign(target, candidate, inner);
          if (Values.truth(evaluator.evaluate(only, inner))) {
            next = candidate;
          }
        }
        return next != null;
      }

      @Override
      public Object next() {
        Object found = hasNext() ? next : null;
        if (found == null) {
          throw new NoSuchElementException();
        }
        next = null;
        return found;
      }
    };
  }

  private void assign(Target target, Object value, Scope scope) {
    switch (target) {
      case Target.Variable(var name) -> scope.set(name, value);
      case Target.Field(var owner, var name) -> {
        if (!(scope.get(owner) instanceof Namespace namespace)) {
          throw JinjaException.fault("cannot assign attribute on non-namespace object");
        }
        namespace.attributes().put(name, value);
      }
      case Target.Unpack(var parts) -> {
        List<Object> values = Values.list(value);
        if (values.size() != parts.size()) {
          throw JinjaException.fault(
              values.size() < parts.size()
                  ? "not enough values to unpack (expected %d, got %d)"
                      .formatted(parts.size(), values.size())
                  : "too many values to unpack (expected %d)".formatted(parts.size()));
        }
        for (int i = 0; i < parts.size(); i++) {
          assign(parts.get(i), values.get(i), scope);
        }
      }
    }
  }
}
