package dev.millrace.engine.text.jinja;

/**
 * Bounds on one rendering: characters of template, of output and of any text on the way, steps
 * (nodes evaluated, plus a share for every character or element touched), depth of calls and of
 * nested data, and length of {@code range}.
 */
record Limits(int templateLength, int textLength, long steps, int depth, int rangeLength) {
  static final Limits DEFAULT = new Limits(1 << 20, 1 << 24, 5_000_000L, 100, 100_000);
}
