/** What a scheduler sees of the engine and the plan it returns. */
@NullMarked
package dev.millrace.spi.schedule;

import org.jspecify.annotations.NullMarked;
