/** How a checkpoint's tensors are read and turned into one of the device's weight formats. */
@NullMarked
package dev.millrace.spi.quant;

import org.jspecify.annotations.NullMarked;
