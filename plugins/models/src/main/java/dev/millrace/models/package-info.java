/** Model families: one class each, over blocks that they share. */
@NullMarked
package dev.millrace.models;

import org.jspecify.annotations.NullMarked;
