package dev.millrace.engine.text.jinja;

import dev.millrace.engine.text.jinja.Expr.Args;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses literals, names, brackets and what follows them: attributes, calls, filters, tests. */
final class OperandParser {
  private static final Set<String> NO_ARGUMENT =
      Set.of("else", "or", "and", "is", "if", "in", "not");

  private final TokenStream in;
  private final ExprParser expressions;
  private Set<String> mentioned = new HashSet<>();
  private final List<JinjaException> unknown = new ArrayList<>();
  private boolean conditional;

  OperandParser(TokenStream in, ExprParser expressions) {
    this.in = in;
    this.expressions = expressions;
  }

  /** Starts a new set of names read, and returns the one so far. */
  Set<String> mentioned(Set<String> now) {
    Set<String> before = mentioned;
    mentioned = now;
    return before;
  }

  /** Unknown filters and tests so far that may really be reached. */
  List<JinjaException> unknown() {
    return unknown;
  }

  /**
   * Says whether what follows may never run, so that an unknown filter there is no error before it
   * is reached; returns the previous state.
   */
  boolean conditional(boolean now) {
    boolean before = conditional;
    conditional = now;
    return before;
  }

  Expr primary() {
    Token token = in.peek();
    return switch (token.kind()) {
      case NAME -> name(in.next().text());
      case STRING -> string();
      case INTEGER -> new Expr.Const(Numbers.integerLiteral(in.next().text()));
      case FLOAT -> new Expr.Const(Double.valueOf(in.next().text().replace("_", "")));
      case OPERATOR -> bracketed(token);
      case TEXT, PRINT_BEGIN, PRINT_END, TAG_BEGIN, TAG_END, END ->
          throw in.unexpected("an expression");
    };
  }

  private Expr name(String name) {
    return switch (name) {
      case "true", "True" -> new Expr.Const(true);
      case "false", "False" -> new Expr.Const(false);
      case "none", "None" -> new Expr.Const(None.NONE);
      default -> {
        mentioned.add(name);
        yield new Expr.Name(name);
      }
    };
  }

  private Expr string() {
    var text = new StringBuilder();
    while (in.peek().kind() == Token.Kind.STRING) {
      text.append(in.next().text());
    }
    return new Expr.Const(text.toString());
  }

  private Expr bracketed(Token open) {
    if (in.skipOperator("(")) {
      Expr inner = expressions.tuple(true, true);
      in.expectOperator(")");
      return inner;
    }
    if (in.skipOperator("[")) {
      return new Expr.ListOf(upTo("]"));
    }
    if (in.skipOperator("{")) {
      return dict();
    }
    throw JinjaException.syntax("unexpected " + open.describe(), open.line());
  }

  private List<Expr> upTo(String close) {
    var items = new ArrayList<Expr>();
    while (!in.peek().isOperator(close)) {
      if (!items.isEmpty()) {
        in.expectOperator(",");
        if (in.peek().isOperator(close)) {
          break;
        }
      }
      items.add(expressions.expression());
    }
    in.expectOperator(close);
    return List.copyOf(items);
  }

  private Expr dict() {
    var keys = new ArrayList<Expr>();
    var values = new ArrayList<Expr>();
    while (!in.peek().isOperator("}")) {
      if (!keys.isEmpty()) {
        in.expectOperator(",");
        if (in.peek().isOperator("}")) {
          break;
        }
      }
      keys.add(expressions.expression());
      in.expectOperator(":");
      values.add(expressions.expression());
    }
    in.expectOperator("}");
    return new Expr.DictOf(List.copyOf(keys), List.copyOf(values));
  }

  Expr postfix(Expr start) {
    Expr value = start;
    while (true) {
      if (in.skipOperator(".")) {
        value = attribute(value);
      } else if (in.skipOperator("[")) {
        value = new Expr.Item(value, subscript());
      } else if (in.peek().isOperator("(")) {
        value = new Expr.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expr attribute(Expr object) {
    if (in.peek().kind() == Token.Kind.INTEGER) {
      return new Expr.Item(object, new Expr.Const(Numbers.integerLiteral(in.next().text())));
    }
    return new Expr.Attribute(object, in.expectName());
  }

  private Expr subscript() {
    var keys = new ArrayList<Expr>();
    while (!in.peek().isOperator("]")) {
      if (!keys.isEmpty()) {
        in.expectOperator(",");
      }
      keys.add(subscriptPart());
    }
    in.expectOperator("]");
    return keys.size() == 1 ? keys.getFirst() : new Expr.TupleOf(List.copyOf(keys));
  }

  private Expr subscriptPart() {
    Expr from = in.peek().isOperator(":") ? null : expressions.expression();
    if (from != null && !in.peek().isOperator(":")) {
      return from;
    }
    in.expectOperator(":");
    Expr to = sliceBound();
    Expr step = in.skipOperator(":") ? sliceBound() : null;
    return new Expr.Slice(from, to, step);
  }

  private @Nullable Expr sliceBound() {
    Token token = in.peek();
    boolean absent = token.isOperator(":") || token.isOperator("]") || token.isOperator(",");
    return absent ? null : expressions.expression();
  }

  Expr filters(Expr start) {
    Expr value = start;
    while (true) {
      if (in.skipOperator("|")) {
        value = filter(value);
      } else if (in.skipName("is")) {
        value = test(value);
      } else if (in.peek().isOperator("(")) {
        value = new Expr.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  /** A filter's name and arguments, and the filters that follow it. */
  Expr filterChain(Expr input) {
    Expr value = filter(input);
    while (in.skipOperator("|")) {
      value = filter(value);
    }
    return value;
  }

  private Expr filter(Expr input) {
    int line = in.peek().line();
    String name = dottedName();
    if (!conditional && !Filters.exists(name)) {
      unknown.add(JinjaException.syntax("No filter named '" + name + "'.", line));
    }
    Args args = in.peek().isOperator("(") ? arguments() : Args.NONE;
    return new Expr.Filter(input, name, args);
  }

  private Expr test(Expr input) {
    boolean negated = in.skipName("not");
    int line = in.peek().line();
    String name = dottedName();
    if (!conditional && !Tests.exists(name)) {
      unknown.add(JinjaException.syntax("No test named '" + name + "'.", line));
    }
    Args args = Args.NONE;
    if (in.peek().isOperator("(")) {
      args = arguments();
    } else if (startsTestArgument(in.peek())) {
      args = new Args(List.of(postfix(primary())), List.of(), List.of(), null, null);
    }
    Expr test = new Expr.Test(input, name, args);
    return negated ? new Expr.Not(test) : test;
  }

  private static boolean startsTestArgument(Token token) {
    return switch (token.kind()) {
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> token.text().equals("[") || token.text().equals("{");
      case NAME -> !NO_ARGUMENT.contains(token.text());
      case TEXT, PRINT_BEGIN, PRINT_END, TAG_BEGIN, TAG_END, END -> false;
    };
  }

  private String dottedName() {
    var name = new StringBuilder(in.expectName());
    while (in.skipOperator(".")) {
      name.append('.').append(in.expectName());
    }
    return name.toString();
  }

  /** The arguments in parentheses of a call. */
  Args arguments() {
    in.expectOperator("(");
    var positional = new ArrayList<Expr>();
    var names = new ArrayList<String>();
    var named = new ArrayList<Expr>();
    Expr star = null;
    Expr starStar = null;
    boolean first = true;
    while (!in.skipOperator(")")) {
      if (!first) {
        in.expectOperator(",");
        if (in.skipOperator(")")) {
          break;
        }
      }
      first = false;
      if (in.skipOperator("*")) {
        star = expressions.expression();
      } else if (in.skipOperator("**")) {
        starStar = expressions.expression();
      } else if (in.peek().kind() == Token.Kind.NAME && in.peekSecond().isOperator("=")) {
        names.add(in.next().text());
        in.next();
        named.add(expressions.expression());
      } else if (names.isEmpty() && star == null && starStar == null) {
        positional.add(expressions.expression());
      } else {
        throw JinjaException.syntax("invalid syntax for function call", in.peek().line());
      }
    }
    return new Args(
        List.copyOf(positional), List.copyOf(names), List.copyOf(named), star, starStar);
  }
}
