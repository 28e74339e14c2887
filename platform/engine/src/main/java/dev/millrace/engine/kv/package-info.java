/**
 * Who holds which blocks of the paged KV cache, and what they hold; their memory is the device's.
 */
@NullMarked
package dev.millrace.engine.kv;

import org.jspecify.annotations.NullMarked;
