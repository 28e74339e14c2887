package dev.millrace.engine.device;

/**
 * How a device besides the CPU is to be used.
 *
 * @param memoryUtilization part of its memory that may be, above 0 and up to 1
 * @param batchInvariant whether the logits of a row must be the same bits whatever else is in the
 *     batch and however its prompt was cut, at a cost in speed
 */
public record DeviceSettings(double memoryUtilization, boolean batchInvariant) {}
