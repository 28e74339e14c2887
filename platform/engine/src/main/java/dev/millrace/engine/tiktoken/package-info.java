/** Vocabularies in tiktoken's file form, turned into the form of Hugging Face. */
@NullMarked
package dev.millrace.engine.tiktoken;

import org.jspecify.annotations.NullMarked;
