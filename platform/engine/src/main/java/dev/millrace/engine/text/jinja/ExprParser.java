package dev.millrace.engine.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses expressions, with the precedences of Jinja: {@code or} binds least, a postfix most. */
final class ExprParser {
  private static final int MAX_DEPTH = 100;
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

  private final TokenStream in;
  private final OperandParser operands;
  private int depth;

  ExprParser(TokenStream in) {
    this.in = in;
    this.operands = new OperandParser(in, this);
  }

  /** The parser of what operators work on. */
  OperandParser operands() {
    return operands;
  }

  /** An expression, or several with commas as a tuple; ends before what cannot continue it. */
  Expr tuple(boolean allowConditional, boolean parenthesised) {
    var items = new ArrayList<Expr>();
    boolean comma = false;
    while (!atTupleEnd()) {
      items.add(allowConditional ? expression() : or());
      comma = in.skipOperator(",");
      if (!comma) {
        break;
      }
    }
    if (items.isEmpty() && !parenthesised) {
      throw in.unexpected("an expression");
    }
    return items.size() == 1 && !comma ? items.getFirst() : new Expr.TupleOf(List.copyOf(items));
  }

  private boolean atTupleEnd() {
    Token token = in.peek();
    return switch (token.kind()) {
      case PRINT_END, TAG_END, END -> true;
      case OPERATOR -> token.text().equals(")");
      case NAME, TEXT, PRINT_BEGIN, TAG_BEGIN, STRING, INTEGER, FLOAT -> false;
    };
  }

  Expr expression() {
    nest();
    int unknownBefore = operands.unknown().size();
    Expr value = or();
    while (in.skipName("if")) {
      operands.unknown().subList(unknownBefore, operands.unknown().size()).clear();
      boolean before = operands.conditional(true);
      Expr test = or();
      Expr no = in.skipName("else") ? expression() : null;
      operands.conditional(before);
      value = new Expr.Conditional(test, value, no);
    }
    depth--;
    return value;
  }

  private void nest() {
    if (++depth > MAX_DEPTH) {
      throw JinjaException.syntax("expressions nested deeper than " + MAX_DEPTH, in.peek().line());
    }
  }

  /** An expression without an inline {@code if}. */
  Expr or() {
    Expr left = and();
    while (in.skipName("or")) {
      left = new Expr.Or(left, and());
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (in.skipName("and")) {
      left = new Expr.And(left, not());
    }
    return left;
  }

  private Expr not() {
    if (in.skipName("not")) {
      nest();
      Expr operand = not();
      depth--;
      return new Expr.Not(operand);
    }
    return compare();
  }

  private Expr compare() {
    Expr first = sum();
    var operators = new ArrayList<String>();
    var rest = new ArrayList<Expr>();
    while (true) {
      Token token = in.peek();
      if (token.kind() == Token.Kind.OPERATOR && COMPARISONS.contains(token.text())) {
        operators.add(in.next().text());
      } else if (in.skipName("in")) {
        operators.add("in");
      } else if (token.isName("not") && in.peekSecond().isName("in")) {
        in.next();
        in.next();
        operators.add("not in");
      } else {
        break;
      }
      rest.add(sum());
    }
    return operators.isEmpty()
        ? first
        : new Expr.Compare(first, List.copyOf(operators), List.copyOf(rest));
  }

  private Expr sum() {
    Expr left = concat();
    while (in.peek().isOperator("+") || in.peek().isOperator("-")) {
      left = new Expr.Binary(in.next().text(), left, concat());
    }
    return left;
  }

  private Expr concat() {
    Expr first = product();
    if (!in.peek().isOperator("~")) {
      return first;
    }
    var parts = new ArrayList<>(List.of(first));
    while (in.skipOperator("~")) {
      parts.add(product());
    }
    return new Expr.Concat(List.copyOf(parts));
  }

  private Expr product() {
    Expr left = power();
    while (in.peek().isOperator("*")
        || in.peek().isOperator("/")
        || in.peek().isOperator("//")
        || in.peek().isOperator("%")) {
      left = new Expr.Binary(in.next().text(), left, power());
    }
    return left;
  }

  private Expr power() {
    Expr left = unary(true);
    while (in.skipOperator("**")) {
      left = new Expr.Binary("**", left, unary(true));
    }
    return left;
  }

  private Expr unary(boolean withFilters) {
    nest();
    Expr value;
    if (in.peek().isOperator("-") || in.peek().isOperator("+")) {
      value = new Expr.Sign(in.next().text().equals("-"), unary(false));
    } else {
      value = operands.primary();
    }
    value = operands.postfix(value);
    depth--;
    return withFilters ? operands.filters(value) : value;
  }
}
