package dev.millrace.engine.hub;

/**
 * A part of a file.
 *
 * @param start first byte
 * @param end the byte after the last
 */
record Span(long start, long end) {
  long length() {
    return end - start;
  }

  Span from(long position) {
    return new Span(position, end);
  }
}
