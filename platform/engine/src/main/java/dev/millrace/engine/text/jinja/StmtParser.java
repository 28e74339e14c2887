package dev.millrace.engine.text.jinja;

import dev.millrace.engine.text.jinja.Stmt.Signature;
import dev.millrace.engine.text.jinja.Stmt.Target;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Parses a whole template into statements. */
final class StmtParser {
  private static final int MAX_DEPTH = 100;

  private final TokenStream in;
  private final ExprParser expressions;
  private int loops;
  private int depth;

  private StmtParser(TokenStream in) {
    this.in = in;
    this.expressions = new ExprParser(in);
  }

  static List<Stmt> parse(String source) {
    var parser = new StmtParser(new TokenStream(Lexer.tokens(source)));
    List<Stmt> statements = parser.statements(Set.of());
    for (JinjaException unknown : parser.expressions.operands().unknown()) {
      throw unknown;
    }
    return statements;
  }

  /** Statements up to a tag whose name is among {@code ends}, which stays the next name. */
  private List<Stmt> statements(Set<String> ends) {
    if (++depth > MAX_DEPTH) {
      throw JinjaException.syntax("tags nested deeper than " + MAX_DEPTH, in.peek().line());
    }
    var statements = new ArrayList<Stmt>();
    while (true) {
      Token token = in.next();
      switch (token.kind()) {
        case TEXT -> statements.add(new Stmt.Text(token.text()));
        case PRINT_BEGIN -> {
          statements.add(new Stmt.Print(expressions.tuple(true, false), token.line()));
          in.expect(Token.Kind.PRINT_END, "end of print statement");
        }
        case TAG_BEGIN -> {
          if (in.peek().kind() == Token.Kind.NAME && ends.contains(in.peek().text())) {
            depth--;
            return List.copyOf(statements);
          }
          statements.addAll(tag());
        }
        case END -> {
          if (!ends.isEmpty()) {
            throw JinjaException.syntax(
                "unexpected end of template, a tag is not closed by " + ends, token.line());
          }
          depth--;
          return List.copyOf(statements);
        }
        case PRINT_END, TAG_END, NAME, STRING, INTEGER, FLOAT, OPERATOR ->
            throw JinjaException.syntax("unexpected " + token.describe(), token.line());
      }
    }
  }

  private List<Stmt> tag() {
    int line = in.peek().line();
    String name = in.expectName();
    return switch (name) {
      case "if" -> List.of(conditional(line));
      case "for" -> List.of(loop(line));
      case "set" -> List.of(assignment(line));
      case "macro" -> List.of(macro(line));
      case "call" -> List.of(callBlock(line));
      case "filter" -> {
        Expr filter = expressions.operands().filterChain(new Expr.Name(Stmt.CAPTURED));
        yield List.of(new Stmt.FilterBlock(filter, body("endfilter"), line));
      }
      case "with" -> List.of(with(line));
      case "generation" -> List.of(new Stmt.Scoped(ownBody("endgeneration")));
      case "print" -> {
        var printed = new ArrayList<Stmt>();
        do {
          printed.add(new Stmt.Print(expressions.expression(), line));
        } while (in.skipOperator(","));
        endTag();
        yield printed;
      }
      case "break", "continue" -> {
        if (loops == 0) {
          throw JinjaException.syntax("'" + name + "' outside of a loop", line);
        }
        endTag();
        yield List.of(name.equals("break") ? new Stmt.Break() : new Stmt.Continue());
      }
      case "include", "import", "from", "extends", "block", "autoescape" ->
          throw JinjaException.syntax("the tag '" + name + "' is not supported", line);
      default -> throw JinjaException.syntax("Encountered unknown tag '" + name + "'.", line);
    };
  }

  private void endTag() {
    in.expect(Token.Kind.TAG_END, "end of statement block");
  }

  /** The statements between this tag and its end tag. */
  private List<Stmt> body(String end) {
    boolean before = expressions.operands().conditional(false);
    endTag();
    List<Stmt> body = statements(Set.of(end));
    in.next();
    endTag();
    expressions.operands().conditional(before);
    return body;
  }

  /** A body that a loop around it cannot be left from. */
  private List<Stmt> ownBody(String end) {
    int before = loops;
    loops = 0;
    List<Stmt> body = body(end);
    loops = before;
    return body;
  }

  private Stmt conditional(int line) {
    boolean before = expressions.operands().conditional(true);
    Expr test = expressions.tuple(false, false);
    endTag();
    List<Stmt> then = statements(Set.of("elif", "else", "endif"));
    int nextLine = in.peek().line();
    List<Stmt> orElse = List.of();
    switch (in.expectName()) {
      case "elif" -> orElse = List.of(conditional(nextLine));
      case "else" -> {
        endTag();
        orElse = statements(Set.of("endif"));
        in.next();
        endTag();
      }
      default -> endTag();
    }
    expressions.operands().conditional(before);
    return new Stmt.If(test, then, orElse, line);
  }

  private Stmt loop(int line) {
    Target target = target();
    if (!in.skipName("in")) {
      throw in.unexpected("'in'");
    }
    Expr items = expressions.tuple(false, false);
    Expr only = in.skipName("if") ? expressions.expression() : null;
    boolean recursive = in.skipName("recursive");
    boolean before = expressions.operands().conditional(false);
    endTag();
    loops++;
    List<Stmt> body = statements(Set.of("else", "endfor"));
    loops--;
    List<Stmt> orElse = List.of();
    if (in.expectName().equals("else")) {
      endTag();
      orElse = statements(Set.of("endfor"));
      in.next();
    }
    endTag();
    expressions.operands().conditional(before);
    return new Stmt.For(target, items, only, recursive, body, orElse, line);
  }

  private Stmt assignment(int line) {
    Target target = target();
    if (in.skipOperator("=")) {
      Expr value = expressions.tuple(true, false);
      endTag();
      return new Stmt.Assign(target, value, line);
    }
    Expr filter =
        in.skipOperator("|")
            ? expressions.operands().filterChain(new Expr.Name(Stmt.CAPTURED))
            : null;
    return new Stmt.AssignBlock(target, filter, body("endset"), line);
  }

  private Target target() {
    Target first = singleTarget();
    if (!in.peek().isOperator(",")) {
      return first;
    }
    var parts = new ArrayList<>(List.of(first));
    while (in.skipOperator(",")) {
      if (in.peek().isName("in")
          || (in.peek().kind() != Token.Kind.NAME && !in.peek().isOperator("("))) {
        break;
      }
      parts.add(singleTarget());
    }
    return new Target.Unpack(List.copyOf(parts));
  }

  private Target singleTarget() {
    if (in.skipOperator("(")) {
      Target inner = target();
      in.expectOperator(")");
      return inner;
    }
    int line = in.peek().line();
    String name = in.expectName();
    if (Set.of("true", "false", "none", "True", "False", "None").contains(name)) {
      throw JinjaException.syntax("can't assign to '" + name + "'", line);
    }
    return in.skipOperator(".")
        ? new Target.Field(name, in.expectName())
        : new Target.Variable(name);
  }

  private Stmt macro(int line) {
    String name = in.expectName();
    var parameters = new ArrayList<String>();
    var defaults = new ArrayList<Expr>();
    parameters(parameters, defaults);
    return new Stmt.Define(name, bodyOf(parameters, defaults, "endmacro"), line);
  }

  private Stmt callBlock(int line) {
    var parameters = new ArrayList<String>();
    var defaults = new ArrayList<Expr>();
    if (in.peek().isOperator("(")) {
      parameters(parameters, defaults);
    }
    if (!(expressions.expression() instanceof Expr.Call call)) {
      throw JinjaException.syntax("expected call", line);
    }
    return new Stmt.CallBlock(call, bodyOf(parameters, defaults, "endcall"), line);
  }

  private void parameters(List<String> parameters, List<Expr> defaults) {
    in.expectOperator("(");
    while (!in.skipOperator(")")) {
      if (!parameters.isEmpty()) {
        in.expectOperator(",");
      }
      parameters.add(in.expectName());
      if (in.skipOperator("=")) {
        defaults.add(expressions.expression());
      } else if (!defaults.isEmpty()) {
        throw JinjaException.syntax(
            "non-default argument follows default argument", in.peek().line());
      }
    }
  }

  private Signature bodyOf(List<String> parameters, List<Expr> defaults, String end) {
    Set<String> mentioned = new HashSet<>();
    Set<String> before = expressions.operands().mentioned(mentioned);
    List<Stmt> body = ownBody(end);
    expressions.operands().mentioned(before).forEach(before::add);
    return new Signature(
        List.copyOf(parameters),
        List.copyOf(defaults),
        body,
        mentioned.contains("varargs") && !parameters.contains("varargs"),
        mentioned.contains("kwargs") && !parameters.contains("kwargs"),
        mentioned.contains("caller") && !parameters.contains("caller"));
  }

  private Stmt with(int line) {
    var targets = new ArrayList<Target>();
    var values = new ArrayList<Expr>();
    while (in.peek().kind() != Token.Kind.TAG_END) {
      if (!targets.isEmpty()) {
        in.expectOperator(",");
      }
      targets.add(singleTarget());
      in.expectOperator("=");
      values.add(expressions.expression());
    }
    return new Stmt.With(List.copyOf(targets), List.copyOf(values), body("endwith"), line);
  }
}
