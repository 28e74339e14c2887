/** Finds, isolates and starts plugin jars, and hands out what they provide. */
@NullMarked
package dev.millrace.engine.plugin;

import org.jspecify.annotations.NullMarked;
