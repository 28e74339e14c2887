/**
 * {@code millrace bench cpu}: this machine's speeds beside those of other programs on it, in turns,
 * and beside what its memory and its arithmetic allow.
 */
@NullMarked
package dev.millrace.compare.cpu;

import org.jspecify.annotations.NullMarked;
