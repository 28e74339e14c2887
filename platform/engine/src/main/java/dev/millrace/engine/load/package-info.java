/** Reads a model, in a directory or a GGUF file: configuration, and the weights bound from it. */
@NullMarked
package dev.millrace.engine.load;

import org.jspecify.annotations.NullMarked;
