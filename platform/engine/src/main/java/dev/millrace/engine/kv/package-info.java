/** Counts the blocks of the paged KV cache; their memory is the device's. */
@NullMarked
package dev.millrace.engine.kv;

import org.jspecify.annotations.NullMarked;
