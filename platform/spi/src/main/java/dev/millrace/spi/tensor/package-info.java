/** The operations a model is written in; all of them are recorded, none runs while it is called. */
@NullMarked
package dev.millrace.spi.tensor;

import org.jspecify.annotations.NullMarked;
