/**
 * The schedulers of Millrace: iteration-level batching in several orders, and static batching as
 * the baseline.
 */
@NullMarked
package dev.millrace.schedulers;

import org.jspecify.annotations.NullMarked;
