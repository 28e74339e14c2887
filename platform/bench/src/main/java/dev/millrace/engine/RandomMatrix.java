package dev.millrace.engine;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
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
      case DeviceFormat.Int8 _, DeviceFormat.Int4 _ ->
          fillCodes(bytes, PackedLayout.of(format, rows, cols), random);
      case DeviceFormat.Code4 _, DeviceFormat.Fp8 _, DeviceFormat.Own _ ->
          throw new IllegalArgumentException("not measured: " + format);
    }
    return new RandomMatrix(rows, cols, format, bytes);
  }

  private static void fillCodes(MemorySegment bytes, PackedLayout layout, SplittableRandom random) {
    for (long i = 0; i < layout.scales(); i++) {
      bytes.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt(-127, 128));
    }
    if (layout.type() == ScaleType.F32) {
      fillFloats(bytes, layout.scales(), (layout.length() - layout.scales()) / 4, random);
    } else {
      for (long at = layout.scales(); at < layout.length(); at += 2) {
        bytes.set(ValueLayout.JAVA_SHORT, at, (short) (0x2000 + random.nextInt(0x400)));
      }
    }
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
