/** Each CUDA kernel, run on the CPU or on a card, against plain F64 arithmetic. */
@NullMarked
package dev.millrace.testkit.cuda;

import org.jspecify.annotations.NullMarked;
