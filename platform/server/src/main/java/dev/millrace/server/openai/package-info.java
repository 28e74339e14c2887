/** The OpenAI API: requests, answers whole and streamed, errors. */
@NullMarked
package dev.millrace.server.openai;

import org.jspecify.annotations.NullMarked;
