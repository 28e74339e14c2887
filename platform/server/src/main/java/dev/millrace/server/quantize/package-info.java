/** The command that makes quantized checkpoints. */
@NullMarked
package dev.millrace.server.quantize;

import org.jspecify.annotations.NullMarked;
