/** What the tokenizers library takes for granted of a tokenizer.json, held before it reads one. */
@NullMarked
package dev.millrace.engine.text.checks;

import org.jspecify.annotations.NullMarked;
