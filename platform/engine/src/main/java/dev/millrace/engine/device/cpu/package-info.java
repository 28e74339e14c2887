/**
 * The CPU devices: the scalar reference, the truth that every kernel is checked against; the one
 * that calls the kernels of {@code kernels/cpu}; and the one in Java with the Vector API, where
 * those are not to be had. All replay programs through {@code CpuModel}.
 */
@NullMarked
package dev.millrace.engine.device.cpu;

import org.jspecify.annotations.NullMarked;
