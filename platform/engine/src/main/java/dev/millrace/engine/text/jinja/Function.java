package dev.millrace.engine.text.jinja;

/** Something a template can call. */
@FunctionalInterface
interface Function {
  Object call(Arguments arguments, Meter meter);
}
