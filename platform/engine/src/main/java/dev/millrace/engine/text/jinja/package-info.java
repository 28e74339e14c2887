/**
 * The part of Jinja that chat templates are written in, with Python's semantics, sandboxed and
 * bounded.
 */
@NullMarked
package dev.millrace.engine.text.jinja;

import org.jspecify.annotations.NullMarked;
