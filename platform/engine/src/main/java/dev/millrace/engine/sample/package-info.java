/** Chooses the next token from a row of logits. */
@NullMarked
package dev.millrace.engine.sample;

import org.jspecify.annotations.NullMarked;
