/** The schedulers of Millrace: iteration-level batching, and static batching as its baseline. */
@NullMarked
package dev.millrace.schedulers;

import org.jspecify.annotations.NullMarked;
