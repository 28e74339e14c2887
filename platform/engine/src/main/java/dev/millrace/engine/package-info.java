/** The engine: takes requests, runs steps on one thread, hands out token streams. */
@NullMarked
package dev.millrace.engine;

import org.jspecify.annotations.NullMarked;
