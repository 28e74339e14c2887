package dev.millrace.engine.text.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens as Jinja does with {@code trim_blocks} and {@code lstrip_blocks}: a
 * newline after a tag goes, and so does the indentation before one.
 */
final class Lexer {
  private static final String SPACE = "[\\s\\x1c-\\x1f\\x85\\p{Z}]*";
  private static final Pattern RAW_BEGIN =
      Pattern.compile("\\{%([-+]?)" + SPACE + "raw" + SPACE + "(-%\\}" + SPACE + "|%\\})");
  private static final Pattern RAW_END =
      Pattern.compile(
          "\\{%([-+]?)" + SPACE + "endraw" + SPACE + "(\\+%\\}|-%\\}" + SPACE + "|%\\}\\n?)");
  private static final Pattern COMMENT_END = Pattern.compile("\\+#\\}|-#\\}" + SPACE + "|#\\}\\n?");
  private static final Pattern TAG_END = Pattern.compile("\\+%\\}|-%\\}" + SPACE + "|%\\}\\n?");
  private static final Pattern PRINT_END = Pattern.compile("-\\}\\}" + SPACE + "|\\}\\}");
  private static final Pattern GAP = Pattern.compile("[\\s\\x1c-\\x1f\\x85\\p{Z}]+");
  private static final Pattern FLOAT =
      Pattern.compile(
          "(?<!\\.)(?:\\d+_)*\\d+(?:(?:\\.(?:\\d+_)*\\d+)?[eE][+-]?(?:\\d+_)*\\d+"
              + "|\\.(?:\\d+_)*\\d+)");
  private static final Pattern INTEGER =
      Pattern.compile(
          "0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?\\d)*|0(?:_?0)*");
  private static final Pattern NAME =
      Pattern.compile("[\\p{L}\\p{Nl}_][\\p{L}\\p{Nl}\\p{M}\\p{Nd}_]*");
  private static final Pattern OPERATOR =
      Pattern.compile("//|\\*\\*|==|!=|>=|<=|[-+/*%~\\[\\](){}<>=.:|,;]");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int position;
  private int line = 1;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    if (source.endsWith("\n")) {
      source = source.substring(0, source.length() - 1);
    }
    var lexer = new Lexer(source);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (position < source.length()) {
      int open = nextOpening(position);
      if (open < 0) {
        addText(source.substring(position));
        position = source.length();
        break;
      }
      Matcher raw = matcher(RAW_BEGIN, open);
      char kind = source.charAt(open + 1);
      boolean isRaw = raw.lookingAt();
      int after = isRaw ? raw.end() : open + 2;
      char sign = signAt(open + 2);
      if (!isRaw && sign != 0) {
        after++;
      }
      addText(textBefore(open, sign, kind != '{'));
      advance(open);
      int start = line;
      advance(after);
      if (isRaw) {
        raw(start);
      } else if (kind == '#') {
        advance(find(COMMENT_END, "Missing end of comment tag").end());
      } else {
        code(kind == '%', start);
      }
    }
    tokens.add(new Token(Token.Kind.END, "", line));
  }

  private int nextOpening(int from) {
    for (int at = source.indexOf('{', from); at >= 0; at = source.indexOf('{', at + 1)) {
      char next = at + 1 < source.length() ? source.charAt(at + 1) : 0;
      if (next == '{' || next == '%' || next == '#') {
        return at;
      }
    }
    return -1;
  }

  private char signAt(int at) {
    char c = at < source.length() ? source.charAt(at) : 0;
    return c == '-' || c == '+' ? c : 0;
  }

  /** The text up to an opening, without what the opening's sign or {@code lstrip_blocks} takes. */
  private String textBefore(int open, char sign, boolean block) {
    String text = source.substring(position, open);
    if (sign == '-') {
      return Chars.stripRight(text);
    }
    boolean lineStarts = position == 0 || source.charAt(position - 1) == '\n';
    if (sign == 0 && block) {
      int from = text.lastIndexOf('\n') + 1;
      if ((from > 0 || lineStarts) && Chars.isBlank(text.substring(from))) {
        return text.substring(0, from);
      }
    }
    return text;
  }

  private void raw(int start) {
    Matcher end = find(RAW_END, "Missing end of raw directive");
    char sign = end.group(1).isEmpty() ? 0 : end.group(1).charAt(0);
    String text = textBefore(end.start(), sign, true);
    if (!text.isEmpty()) {
      tokens.add(new Token(Token.Kind.TEXT, text, start));
    }
    advance(end.end());
  }

  private void code(boolean tag, int start) {
    tokens.add(new Token(tag ? Token.Kind.TAG_BEGIN : Token.Kind.PRINT_BEGIN, "", start));
    Deque<Character> open = new ArrayDeque<>();
    Pattern end = tag ? TAG_END : PRINT_END;
    while (true) {
      Matcher gap = matcher(GAP, position);
      Matcher close = matcher(end, position);
      if (open.isEmpty() && close.lookingAt()) {
        tokens.add(new Token(tag ? Token.Kind.TAG_END : Token.Kind.PRINT_END, "", line));
        advance(close.end());
        return;
      }
      if (gap.lookingAt()) {
        advance(gap.end());
      } else if (position >= source.length()) {
        throw JinjaException.syntax("unexpected end of template inside a tag", start);
      } else {
        codeToken(open);
      }
    }
  }

  private void codeToken(Deque<Character> open) {
    char c = source.charAt(position);
    if (c == '\'' || c == '"') {
      string(c);
    } else if (!(take(FLOAT, Token.Kind.FLOAT)
        || take(INTEGER, Token.Kind.INTEGER)
        || take(NAME, Token.Kind.NAME))) {
      Matcher operator = matcher(OPERATOR, position);
      if (!operator.lookingAt()) {
        throw JinjaException.syntax("unexpected char '" + c + "'", line);
      }
      balance(operator.group(), open);
      take(OPERATOR, Token.Kind.OPERATOR);
    }
  }

  private void balance(String operator, Deque<Character> open) {
    switch (operator) {
      case "(" -> open.push(')');
      case "[" -> open.push(']');
      case "{" -> open.push('}');
      case ")", "]", "}" -> {
        Character expected = open.poll();
        if (expected == null || expected != operator.charAt(0)) {
          throw JinjaException.syntax("unexpected '" + operator + "'", line);
        }
      }
      default -> {}
    }
  }

  private void string(char quote) {
    int at = position + 1;
    while (at < source.length() && source.charAt(at) != quote) {
      at += source.charAt(at) == '\\' ? 2 : 1;
    }
    if (at >= source.length()) {
      throw JinjaException.syntax("a string is not closed", line);
    }
    String text = Escapes.decode(source.substring(position + 1, at), line);
    tokens.add(new Token(Token.Kind.STRING, text, line));
    advance(at + 1);
  }

  private boolean take(Pattern pattern, Token.Kind kind) {
    Matcher matcher = matcher(pattern, position);
    if (!matcher.lookingAt()) {
      return false;
    }
    tokens.add(new Token(kind, matcher.group(), line));
    advance(matcher.end());
    return true;
  }

  private Matcher matcher(Pattern pattern, int from) {
    return pattern.matcher(source).region(from, source.length()).useTransparentBounds(true);
  }

  private Matcher find(Pattern pattern, String missing) {
    Matcher matcher = matcher(pattern, position);
    if (!matcher.find()) {
      throw JinjaException.syntax(missing, line);
    }
    return matcher;
  }

  private void addText(String text) {
    if (!text.isEmpty()) {
      tokens.add(new Token(Token.Kind.TEXT, text, line));
    }
  }

  private void advance(int to) {
    for (int i = position; i < to; i++) {
      if (source.charAt(i) == '\n') {
        line++;
      }
    }
    position = to;
  }
}
