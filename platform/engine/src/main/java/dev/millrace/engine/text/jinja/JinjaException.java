package dev.millrace.engine.text.jinja;

/**
 * A template that cannot be parsed or rendered: why, and on which line of the template (1 is the
 * first, 0 unknown).
 */
public final class JinjaException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What went wrong. */
  public enum Kind {
    /** The template is not well formed, or uses a tag or filter that does not exist. */
    SYNTAX,
    /** The template itself called {@code raise_exception}; the message is its own. */
    RAISED,
    /** An operation failed: undefined variable, wrong type, access the sandbox forbids. */
    FAULT,
    /** A bound on size, steps or depth was reached. */
    LIMIT
  }

  private final Kind kind;
  private final int line;

  JinjaException(Kind kind, String message, int line) {
    super(message);
    this.kind = kind;
    this.line = line;
  }

  static JinjaException fault(String message) {
    return new JinjaException(Kind.FAULT, message, 0);
  }

  static JinjaException limit(String message) {
    return new JinjaException(Kind.LIMIT, message, 0);
  }

  static JinjaException syntax(String message, int line) {
    return new JinjaException(Kind.SYNTAX, message, line);
  }

  /** The same failure with its line, where it was not yet known. */
  JinjaException at(int knownLine) {
    if (line != 0) {
      return this;
    }
    var located = new JinjaException(kind, String.valueOf(getMessage()), knownLine);
    located.setStackTrace(getStackTrace());
    return located;
  }

  public Kind kind() {
    return kind;
  }

  public int line() {
    return line;
  }
}
