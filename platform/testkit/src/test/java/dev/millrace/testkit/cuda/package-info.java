/** Each CUDA kernel, run on the CPU, against plain F64 arithmetic. */
@NullMarked
package dev.millrace.testkit.cuda;

import org.jspecify.annotations.NullMarked;
