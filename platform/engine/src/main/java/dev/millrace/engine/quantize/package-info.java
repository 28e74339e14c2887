/**
 * Makes quantized checkpoints of models in plain numbers, and writes them in layouts others read.
 */
@NullMarked
package dev.millrace.engine.quantize;

import org.jspecify.annotations.NullMarked;
