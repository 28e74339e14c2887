/** Spoils files for the tests of parsers. */
@NullMarked
package dev.millrace.engine.fuzz;

import org.jspecify.annotations.NullMarked;
