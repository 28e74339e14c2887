package dev.millrace.engine.device;

import dev.millrace.spi.tensor.Tensor;

/**
 * A tensor of a recorded program: some columns of a slot.
 *
 * @param slot index into {@link Program#slotWidths()}, whose width is the distance between two rows
 * @param offset first column
 * @param width columns
 */
public record Value(int slot, int offset, int width) implements Tensor {}
