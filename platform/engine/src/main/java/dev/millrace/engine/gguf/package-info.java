/** GGUF files: their format, and what is in them in the terms of Hugging Face checkpoints. */
@NullMarked
package dev.millrace.engine.gguf;

import org.jspecify.annotations.NullMarked;
