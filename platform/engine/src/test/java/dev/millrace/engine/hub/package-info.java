/** Fetching from a hub that misbehaves. */
@NullMarked
package dev.millrace.engine.hub;

import org.jspecify.annotations.NullMarked;
