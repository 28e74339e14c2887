package dev.millrace.engine.text.jinja;

/** The one value a template can change: {@code namespace(...)}. */
final class Namespace {
  private final Dict attributes = new Dict();

  Dict attributes() {
    return attributes;
  }
}
