package dev.millrace.engine.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement of a parsed template. Lists are immutable; lines count from 1. */
sealed interface Stmt {
  record Text(String text) implements Stmt {}

  record Print(Expr value, int line) implements Stmt {}

  record If(Expr test, List<Stmt> then, List<Stmt> orElse, int line) implements Stmt {}

  record For(
      Target target,
      Expr items,
      @Nullable Expr only,
      boolean recursive,
      List<Stmt> body,
      List<Stmt> orElse,
      int line)
      implements Stmt {}

  record Assign(Target target, Expr value, int line) implements Stmt {}

  /** {@code filter} works on the name {@link #CAPTURED}; null leaves the text as it is. */
  record AssignBlock(Target target, @Nullable Expr filter, List<Stmt> body, int line)
      implements Stmt {}

  record FilterBlock(Expr filter, List<Stmt> body, int line) implements Stmt {}

  record Define(String name, Signature signature, int line) implements Stmt {}

  record CallBlock(Expr.Call call, Signature caller, int line) implements Stmt {}

  record With(List<Target> targets, List<Expr> values, List<Stmt> body, int line) implements Stmt {}

  /** A block that only makes a scope of its own, such as {@code generation}. */
  record Scoped(List<Stmt> body) implements Stmt {}

  record Break() implements Stmt {}

  record Continue() implements Stmt {}

  /** A name no template can write, bound to the text a filter block has captured. */
  String CAPTURED = "<captured>";

  /** Where an assignment goes. */
  sealed interface Target {
    record Variable(String name) implements Target {}

    record Field(String namespace, String name) implements Target {}

    record Unpack(List<Target> parts) implements Target {}
  }

  /**
   * Parameters and body of a macro. The last {@code defaults.size()} parameters have defaults; the
   * flags tell which of the implicit variables the body mentions.
   */
  record Signature(
      List<String> parameters,
      List<Expr> defaults,
      List<Stmt> body,
      boolean usesVarargs,
      boolean usesKwargs,
      boolean usesCaller) {}
}
