/** Text to token ids and back: tokenizer, chat template, incremental decoding, stop strings. */
@NullMarked
package dev.millrace.engine.text;

import org.jspecify.annotations.NullMarked;
