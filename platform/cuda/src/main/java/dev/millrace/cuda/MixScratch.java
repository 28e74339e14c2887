package dev.millrace.cuda;

import dev.millrace.engine.device.Instruction;

/**
 * Where the parts of a mixture's work lie: rows times experts per token each.
 *
 * @param chosen experts' numbers, then their weights at {@code weights}
 * @param gateUp outputs of the first product, {@code gated} of the activation, {@code down} of the
 *     second product
 */
record MixScratch(long chosen, long weights, long gateUp, long gated, long down, long end) {

  /** For so many rows of numbers of a type. */
  static MixScratch of(Instruction.Mix mix, Precision precision, long start, int rows) {
    long each = (long) rows * mix.routing().perToken();
    long weights = start + aligned(Integer.BYTES * each);
    long gateUp = weights + aligned(Float.BYTES * each);
    long gated = gateUp + aligned(precision.bytes() * each * 2 * mix.experts().inner());
    long down = gated + aligned(precision.bytes() * each * mix.experts().inner());
    long end = down + aligned(precision.bytes() * each * mix.experts().hidden());
    return new MixScratch(start, weights, gateUp, gated, down, end);
  }

  private static long aligned(long bytes) {
    return PackedMatrix.aligned(bytes);
  }
}
