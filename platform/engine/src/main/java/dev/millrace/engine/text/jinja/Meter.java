package dev.millrace.engine.text.jinja;

/** Counts what one rendering uses up, against its limits, and remembers the line it is on. */
final class Meter {
  private final Limits limits;
  private long steps;
  private int depth;
  private int line;

  Meter(Limits limits) {
    this.limits = limits;
  }

  Limits limits() {
    return limits;
  }

  int line() {
    return line;
  }

  void line(int now) {
    line = now;
  }

  void step() {
    steps(1);
  }

  void steps(long count) {
    steps += count;
    if (steps > limits.steps()) {
      throw JinjaException.limit("the template ran for more than " + limits.steps() + " steps");
    }
  }

  /** Accounts for a text or list of this length before it is made. */
  void make(long length) {
    if (length > limits.textLength()) {
      throw JinjaException.limit(
          "the template made a text or list longer than " + limits.textLength());
    }
    steps(1 + length / 16);
  }

  /** Accounts for a text that has just been made. */
  String made(String text) {
    make(text.length());
    return text;
  }

  void enter() {
    if (++depth > limits.depth()) {
      throw JinjaException.limit("calls or data nested deeper than " + limits.depth());
    }
  }

  void leave() {
    depth--;
  }
}
