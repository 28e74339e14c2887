/**
 * The CPU devices: the scalar reference, the truth that every kernel is checked against, and the
 * one that calls the kernels of {@code kernels/cpu}. Both replay programs through {@code CpuModel}.
 */
@NullMarked
package dev.millrace.engine.device.cpu;

import org.jspecify.annotations.NullMarked;
