package dev.millrace.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Reads {@link QuantizedMatrix#packed()} as {@code docs/device-formats.md} describes it. */
final class PackedRows {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final QuantizedMatrix matrix;
  private final MemorySegment packed;
  private final long rows;
  private final long cols;

  PackedRows(QuantizedMatrix matrix) {
    this.matrix = matrix;
    this.packed = matrix.packed();
    this.rows = matrix.rows();
    this.cols = matrix.cols();
  }

  /** The least bytes the format takes. */
  long length() {
    return switch (matrix.format()) {
      case DeviceFormat.F32 _ -> 4 * rows * cols;
      case DeviceFormat.Bf16 _, DeviceFormat.F16 _ -> 2 * rows * cols;
      case DeviceFormat.Int8(int group) -> scales() + 4 * rows * groups(group);
      case DeviceFormat.Int4(int group, boolean zeros) ->
          (zeros ? zeros(group) : scales()) + 4 * rows * groups(group);
    };
  }

  float element(int row, int col) {
    long index = row * cols + col;
    return switch (matrix.format()) {
      case DeviceFormat.F32 _ -> packed.get(FLOAT, 4 * index);
      case DeviceFormat.Bf16 _ -> Float.intBitsToFloat(packed.get(SHORT, 2 * index) << 16);
      case DeviceFormat.F16 _ -> Float.float16ToFloat(packed.get(SHORT, 2 * index));
      case DeviceFormat.Int8(int group) -> {
        long scale = row * groups(group) + (group == 0 ? 0 : col / group);
        yield packed.get(JAVA_BYTE, index) * packed.get(FLOAT, scales() + 4 * scale);
      }
      case DeviceFormat.Int4(int group, boolean zeros) -> {
        long part = 4 * (row * groups(group) + col / group);
        float scale = packed.get(FLOAT, scales() + part);
        int code = code(row, col);
        yield zeros ? code * scale - packed.get(FLOAT, zeros(group) + part) : (code - 8) * scale;
      }
    };
  }

  private int code(int row, int col) {
    int both = packed.get(JAVA_BYTE, row * runs() + 16L * (col / 32) + col % 16);
    return col % 32 < 16 ? both & 15 : both >> 4 & 15;
  }

  /** Where the scales of INT8 and INT4 begin: after the codes, at a multiple of 64. */
  long scales() {
    return padded(rows * (matrix.format() instanceof DeviceFormat.Int4 ? runs() : cols));
  }

  /** Where the zeros of INT4 begin. */
  long zeros(int group) {
    return padded(scales() + 4 * rows * groups(group));
  }

  /** Bytes of a row of INT4: runs of 32 columns. */
  private long runs() {
    return 16 * Math.ceilDiv(cols, 32);
  }

  /** Scales of a row. */
  long groups(int group) {
    return group == 0 ? 1 : Math.ceilDiv(cols, group);
  }

  private static long padded(long bytes) {
    return Math.ceilDiv(bytes, 64) * 64;
  }
}
