/** Fetches models of a Hugging Face hub into the cache that all of its tools share. */
@NullMarked
package dev.millrace.engine.hub;

import org.jspecify.annotations.NullMarked;
