package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;

/** The scales of a matrix of bitsandbytes, of F32 or of bytes that have scales themselves. */
final class BlockScales {
  /** Products of any two numbers below it are finite. */
  private static final float LARGEST = 0x1p60f;

  private BlockScales() {}

  /**
   * All scales.
   *
   * @param weight full name of the tensor of codes, which others begin with
   * @throws InferenceException naming the tensor that is missing or wrong
   */
  static float[] read(String weight, QuantState state, Checkpoint checkpoint) {
    int count =
        Math.toIntExact(Math.ceilDiv(Math.multiplyFull(state.rows(), state.cols()), state.block()));
    boolean nested = state.nestedBlock() > 0;
    var stored =
        Stored.of(checkpoint, weight + ".absmax", nested ? DType.U8 : DType.F32).shaped(count);
    float[] scales = new float[count];
    if (nested) {
      var table = Stored.of(checkpoint, weight + ".nested_quant_map", DType.F32).shaped(256);
      var factors =
          Stored.of(checkpoint, weight + ".nested_absmax", DType.F32)
              .shaped(Math.ceilDiv(count, state.nestedBlock()));
      checkFinite(table);
      checkFinite(factors);
      for (int i = 0; i < count; i++) {
        float factor = factors.number(i / state.nestedBlock());
        scales[i] = table.number(stored.octet(i) & 255) * factor + state.nestedOffset();
        if (!(Math.abs(scales[i]) < LARGEST)) {
          throw wrong(factors, scales[i], i);
        }
      }
    } else {
      checkFinite(stored);
      for (int i = 0; i < count; i++) {
        scales[i] = stored.number(i);
      }
    }
    return scales;
  }

  static void checkFinite(Stored numbers) {
    for (long i = 0; i < numbers.tensor().elements(); i++) {
      float number = numbers.number(i);
      if (!(Math.abs(number) < LARGEST)) {
        throw wrong(numbers, number, i);
      }
    }
  }

  private static InferenceException wrong(Stored numbers, float number, long index) {
    return new InferenceException(
        ErrorCode.INVALID_CHECKPOINT, "%s gives %s at %d".formatted(numbers.name(), number, index));
  }
}
