package dev.millrace.engine.text.jinja;

/** Python's None; inside the engine no value is null. */
enum None {
  NONE
}
