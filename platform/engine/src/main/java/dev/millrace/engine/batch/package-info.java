/** Turns a plan into the ragged arrays of one step. */
@NullMarked
package dev.millrace.engine.batch;

import org.jspecify.annotations.NullMarked;
