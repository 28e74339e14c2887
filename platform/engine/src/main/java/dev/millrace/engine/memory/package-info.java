/** Memory of the system's that is no file, and how functions of the C library are called. */
@NullMarked
package dev.millrace.engine.memory;

import org.jspecify.annotations.NullMarked;
