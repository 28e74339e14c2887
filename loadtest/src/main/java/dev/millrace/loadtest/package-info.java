/** Drives an OpenAI-compatible server with streamed completions and measures what a client sees. */
@NullMarked
package dev.millrace.loadtest;

import org.jspecify.annotations.NullMarked;
