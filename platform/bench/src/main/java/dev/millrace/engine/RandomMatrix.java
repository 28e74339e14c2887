package dev.millrace.engine;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** A matrix of small numbers that nobody looks at; only F32 can be decoded. */
record RandomMatrix(int rows, int cols, DeviceFormat format, MemorySegment packed)
    implements QuantizedMatrix {
  static RandomMatrix of(int rows, int cols, DeviceFormat format) {
    var random = new SplittableRandom(1);
    long count = Math.multiplyFull(rows, cols);
    var bytes = Arena.ofAuto().allocate(8 * count + 256, 64);
    switch (format) {
      case DeviceFormat.F32 _ -> fillFloats(bytes, 0, count, random);
      case DeviceFormat.Bf16 _, DeviceFormat.F16 _ -> {
        for (long i = 0; i < count; i++) {
          bytes.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (0x3000 + random.nextInt(0x800)));
        }
      }
      case DeviceFormat.Int8(int group, _, _) ->
          fillCodes(bytes, count, rows * (group == 0 ? 1L : Math.ceilDiv(cols, group)), random);
      case DeviceFormat.Int4(int group, _, _) ->
          fillCodes(bytes, count / 2, (long) rows * Math.ceilDiv(cols, group), random);
      case DeviceFormat.Code4 _, DeviceFormat.Fp8 _, DeviceFormat.Own _ ->
          throw new IllegalArgumentException("not measured: " + format);
    }
    return new RandomMatrix(rows, cols, format, bytes);
  }

  private static void fillCodes(
      MemorySegment bytes, long length, long scales, SplittableRandom random) {
    for (long i = 0; i < length; i++) {
      bytes.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt(-127, 128));
    }
    fillFloats(bytes, (length + 63) / 64 * 64, 2 * scales, random);
  }

  private static void fillFloats(
      MemorySegment bytes, long start, long count, SplittableRandom random) {
    for (long i = 0; i < count; i++) {
      bytes.set(ValueLayout.JAVA_FLOAT, start + 4 * i, (float) random.nextDouble(-0.01, 0.01));
    }
  }

  @Override
  public void decodeRow(int row, float[] out) {
    MemorySegment.copy(
        packed, ValueLayout.JAVA_FLOAT, Math.multiplyFull(4 * row, cols), out, 0, cols);
  }
}
