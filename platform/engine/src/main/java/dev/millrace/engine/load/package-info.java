/** Reads a model directory: configuration, safetensors files, and the weights bound from them. */
@NullMarked
package dev.millrace.engine.load;

import org.jspecify.annotations.NullMarked;
