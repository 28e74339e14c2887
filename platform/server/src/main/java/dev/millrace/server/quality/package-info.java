/** Judges formats of weights: what they cost in quality, and what they save. */
@NullMarked
package dev.millrace.server.quality;

import org.jspecify.annotations.NullMarked;
