/** Mapped files, and what becomes of them meanwhile. */
@NullMarked
package dev.millrace.engine.mapping;

import org.jspecify.annotations.NullMarked;
