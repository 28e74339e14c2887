/** NVIDIA GPUs: the driver through JCuda and FFM, and the device that replays programs on them. */
@NullMarked
package dev.millrace.cuda;

import org.jspecify.annotations.NullMarked;
