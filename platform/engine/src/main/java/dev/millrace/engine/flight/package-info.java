/** The flight recorder: one JFR event per step, and runs rebuilt from such events. */
@NullMarked
package dev.millrace.engine.flight;

import org.jspecify.annotations.NullMarked;
