package dev.millrace.engine.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An expression of a parsed template. Lists are immutable. */
sealed interface Expr {
  record Const(Object value) implements Expr {}

  record Name(String name) implements Expr {}

  record ListOf(List<Expr> items) implements Expr {}

  record TupleOf(List<Expr> items) implements Expr {}

  record DictOf(List<Expr> keys, List<Expr> values) implements Expr {}

  record Attribute(Expr object, String name) implements Expr {}

  record Item(Expr object, Expr key) implements Expr {}

  record Slice(@Nullable Expr from, @Nullable Expr to, @Nullable Expr step) implements Expr {}

  record Call(Expr callee, Args args) implements Expr {}

  record Filter(Expr input, String name, Args args) implements Expr {}

  record Test(Expr input, String name, Args args) implements Expr {}

  record Not(Expr operand) implements Expr {}

  record Sign(boolean negative, Expr operand) implements Expr {}

  record And(Expr left, Expr right) implements Expr {}

  record Or(Expr left, Expr right) implements Expr {}

  record Binary(String operator, Expr left, Expr right) implements Expr {}

  /** A chain of comparisons: {@code first op[0] rest[0] op[1] rest[1] ...}. */
  record Compare(Expr first, List<String> operators, List<Expr> rest) implements Expr {}

  record Concat(List<Expr> parts) implements Expr {}

  record Conditional(Expr test, Expr yes, @Nullable Expr no) implements Expr {}

  /** The arguments of a call, a filter or a test as written. */
  record Args(
      List<Expr> positional,
      List<String> names,
      List<Expr> named,
      @Nullable Expr star,
      @Nullable Expr starStar) {
    static final Args NONE = new Args(List.of(), List.of(), List.of(), null, null);

    boolean isEmpty() {
      return positional.isEmpty() && names.isEmpty() && star == null && starStar == null;
    }
  }
}
