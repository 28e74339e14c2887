/** The three plugin entry points and the error that crosses between plugin and engine. */
@NullMarked
package dev.millrace.spi;

import org.jspecify.annotations.NullMarked;
