package dev.millrace.testkit;

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
        yield packed.get(ValueLayout.JAVA_BYTE, index) * packed.get(FLOAT, scales() + 4 * scale);
      }
    };
  }

  /** Where the scales of INT8 begin: after the bytes, at a multiple of 64. */
  private long scales() {
    return Math.ceilDiv(rows * cols, 64) * 64;
  }

  private long groups(int group) {
    return group == 0 ? 1 : Math.ceilDiv(cols, group);
  }
}
