package dev.millrace.quantizers;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A matrix in INT4, in INT8 with groups, or in F32, laid out as {@code docs/device-formats.md} says
 * and filled row by row. It keeps the memory it is given.
 */
record GroupedMatrix(int rows, int cols, DeviceFormat format, MemorySegment memory)
    implements QuantizedMatrix {
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Bytes of such a matrix. */
  static long length(int rows, int cols, DeviceFormat format) {
    return new GroupedMatrix(rows, cols, format, MemorySegment.NULL).length();
  }

  private long length() {
    return switch (format) {
      case DeviceFormat.Int4(_, boolean zeros) ->
          (zeros ? zerosAt() : scalesAt()) + 4L * rows * groups();
      case DeviceFormat.Int8 _ -> scalesAt() + 4L * rows * groups();
      case DeviceFormat.F32 _ -> rows * rowBytes();
      case DeviceFormat.Bf16 _, DeviceFormat.F16 _ -> throw other();
    };
  }

  @Override
  public MemorySegment packed() {
    return memory.asReadOnly();
  }

  /** Puts the codes of a row in place, as the format packs them, or its numbers. */
  void put(int row, byte[] codes) {
    MemorySegment.copy(codes, 0, memory, ValueLayout.JAVA_BYTE, row * rowBytes(), codes.length);
  }

  void putScales(int row, float[] scales) {
    MemorySegment.copy(scales, 0, memory, FLOAT, scalesAt() + 4L * row * groups(), groups());
  }

  void putZeros(int row, float[] zeros) {
    MemorySegment.copy(zeros, 0, memory, FLOAT, zerosAt() + 4L * row * groups(), groups());
  }

  @Override
  public void decodeRow(int row, float[] out) {
    if (format instanceof DeviceFormat.F32) {
      MemorySegment.copy(memory, FLOAT, row * rowBytes(), out, 0, cols);
      return;
    }
    byte[] codes = new byte[Math.toIntExact(rowBytes())];
    MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, row * rowBytes(), codes, 0, codes.length);
    float[] scales = floats(scalesAt(), row);
    switch (format) {
      case DeviceFormat.Int8(int group) -> {
        for (int i = 0; i < cols; i++) {
          out[i] = codes[i] * scales[i / group];
        }
      }
      case DeviceFormat.Int4(int group, boolean withZeros) -> {
        float[] zeros = withZeros ? floats(zerosAt(), row) : scales;
        for (int i = 0; i < cols; i++) {
          int both = codes[16 * (i / 32) + i % 16];
          int code = i % 32 < 16 ? both & 15 : (both >> 4) & 15;
          float scale = scales[i / group];
          out[i] = withZeros ? code * scale - zeros[i / group] : (code - 8) * scale;
        }
      }
      case DeviceFormat.F32 _, DeviceFormat.Bf16 _, DeviceFormat.F16 _ -> throw other();
    }
  }

  private float[] floats(long part, int row) {
    float[] floats = new float[groups()];
    MemorySegment.copy(memory, FLOAT, part + 4L * row * groups(), floats, 0, floats.length);
    return floats;
  }

  /** Bytes of the codes of a row. */
  private long rowBytes() {
    return switch (format) {
      case DeviceFormat.Int4 _ -> 16L * Math.ceilDiv(cols, 32);
      case DeviceFormat.Int8 _ -> cols;
      case DeviceFormat.F32 _ -> 4L * cols;
      case DeviceFormat.Bf16 _, DeviceFormat.F16 _ -> throw other();
    };
  }

  /** Scales of a row. */
  int groups() {
    return switch (format) {
      case DeviceFormat.Int4(int group, _) -> Math.ceilDiv(cols, group);
      case DeviceFormat.Int8(int group) -> Math.ceilDiv(cols, group);
      case DeviceFormat.F32 _, DeviceFormat.Bf16 _, DeviceFormat.F16 _ -> throw other();
    };
  }

  private long scalesAt() {
    return Math.ceilDiv(rows * rowBytes(), 64) * 64;
  }

  private long zerosAt() {
    return Math.ceilDiv(scalesAt() + 4L * rows * groups(), 64) * 64;
  }

  private AssertionError other() {
    return new AssertionError("a grouped matrix in " + format);
  }
}
