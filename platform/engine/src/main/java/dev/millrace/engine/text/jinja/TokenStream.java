package dev.millrace.engine.text.jinja;

import java.util.List;

/** The tokens of a template with a read position. */
final class TokenStream {
  private final List<Token> tokens;
  private int position;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token peek() {
    return tokens.get(position);
  }

  Token peekSecond() {
    return tokens.get(Math.min(position + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = peek();
    if (token.kind() != Token.Kind.END) {
      position++;
    }
    return token;
  }

  boolean skipOperator(String operator) {
    return skipIf(peek().isOperator(operator));
  }

  boolean skipName(String name) {
    return skipIf(peek().isName(name));
  }

  private boolean skipIf(boolean matches) {
    if (matches) {
      next();
    }
    return matches;
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw unexpected("'" + operator + "'");
    }
  }

  String expectName() {
    if (peek().kind() != Token.Kind.NAME) {
      throw unexpected("a name");
    }
    return next().text();
  }

  void expect(Token.Kind kind, String wanted) {
    if (peek().kind() != kind) {
      throw unexpected(wanted);
    }
    next();
  }

  JinjaException unexpected(String wanted) {
    return JinjaException.syntax(
        "expected " + wanted + ", got " + peek().describe(), peek().line());
  }
}
