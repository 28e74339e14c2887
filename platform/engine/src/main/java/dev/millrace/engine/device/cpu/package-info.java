/** The scalar reference device: the truth that every kernel is checked against. */
@NullMarked
package dev.millrace.engine.device.cpu;

import org.jspecify.annotations.NullMarked;
