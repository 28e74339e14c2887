/** Mapped files, and what becomes of them while they are. */
@NullMarked
package dev.millrace.engine.mapping;

import org.jspecify.annotations.NullMarked;
