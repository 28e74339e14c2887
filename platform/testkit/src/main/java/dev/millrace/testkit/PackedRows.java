package dev.millrace.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Reads {@link QuantizedMatrix#packed()} as {@code docs/device-formats.md} describes it, by itself:
 * the SPI's own reckoning is not used.
 */
final class PackedRows {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final QuantizedMatrix matrix;
  private final MemorySegment packed;
  private final long rows;
  private final long cols;

  /** Of each element of the input, the column it is multiplied with; empty if they are the same. */
  private final int[] columns;

  PackedRows(QuantizedMatrix matrix) {
    this.matrix = matrix;
    this.packed = matrix.packed();
    this.rows = matrix.rows();
    this.cols = matrix.cols();
    int[] order = matrix.inputOrder();
    this.columns = new int[order.length];
    for (int i = 0; i < order.length; i++) {
      columns[order[i]] = i;
    }
  }

  /** The least bytes the format takes. */
  long length() {
    return switch (matrix.format()) {
      case DeviceFormat.F32 _ -> 4 * rows * cols;
      case DeviceFormat.Bf16 _, DeviceFormat.F16 _ -> 2 * rows * cols;
      case DeviceFormat.Int8(int group, boolean zeros) ->
          (zeros ? behind(group) : scales()) + 4 * rows * groups(group);
      case DeviceFormat.Int4(int group, boolean zeros) ->
          (zeros ? behind(group) : scales()) + 4 * rows * groups(group);
      case DeviceFormat.Own _ -> 0;
      case DeviceFormat.Code4(int group) -> behind(group) + 64;
      case DeviceFormat.Fp8(int blockRows, int blockCols) ->
          scales() + 4 * groups(blockCols) * (blockRows == 0 ? 1 : Math.ceilDiv(rows, blockRows));
    };
  }

  /** The weight of an element of the input. */
  float element(int row, int input) {
    int col = columns.length == 0 ? input : columns[input];
    long index = row * cols + col;
    return switch (matrix.format()) {
      case DeviceFormat.F32 _ -> packed.get(FLOAT, 4 * index);
      case DeviceFormat.Bf16 _ -> Float.intBitsToFloat(packed.get(SHORT, 2 * index) << 16);
      case DeviceFormat.F16 _ -> Float.float16ToFloat(packed.get(SHORT, 2 * index));
      case DeviceFormat.Int8(int group, boolean zeros) -> {
        long part = 4 * (row * groups(group) + (group == 0 ? 0 : col / group));
        float scaled = packed.get(JAVA_BYTE, index) * packed.get(FLOAT, scales() + part);
        yield zeros ? scaled - packed.get(FLOAT, behind(group) + part) : scaled;
      }
      case DeviceFormat.Int4(int group, boolean zeros) -> {
        long part = 4 * (row * groups(group) + col / group);
        float scale = packed.get(FLOAT, scales() + part);
        int code = code(row, col);
        yield zeros ? code * scale - packed.get(FLOAT, behind(group) + part) : (code - 8) * scale;
      }
      case DeviceFormat.Own _ -> throw new AssertionError("only its plugin reads it");
      case DeviceFormat.Code4(int group) -> {
        float scale = packed.get(FLOAT, scales() + 4 * (row * groups(group) + col / group));
        yield packed.get(FLOAT, behind(group) + 4L * code(row, col)) * scale;
      }
      case DeviceFormat.Fp8(int blockRows, int blockCols) -> {
        long block =
            (blockRows == 0 ? 0 : row / blockRows) * groups(blockCols)
                + (blockCols == 0 ? 0 : col / blockCols);
        yield e4m3(packed.get(JAVA_BYTE, index)) * packed.get(FLOAT, scales() + 4 * block);
      }
    };
  }

  private static float e4m3(byte bits) {
    int exponent = bits >> 3 & 15;
    int mantissa = bits & 7;
    float size =
        exponent == 0 ? Math.scalb(mantissa / 8f, -6) : Math.scalb(1 + mantissa / 8f, exponent - 7);
    float number = exponent == 15 && mantissa == 7 ? Float.NaN : size;
    return bits < 0 ? -number : number;
  }

  private int code(int row, int col) {
    int both = packed.get(JAVA_BYTE, row * runs() + 16L * (col / 32) + col % 16);
    return col % 32 < 16 ? both & 15 : both >> 4 & 15;
  }

  /** Where the scales begin: after the codes, at a multiple of 64. */
  long scales() {
    boolean nibbles =
        matrix.format() instanceof DeviceFormat.Int4
            || matrix.format() instanceof DeviceFormat.Code4;
    return padded(rows * (nibbles ? runs() : cols));
  }

  /** Where zeros or table begin. */
  long behind(int group) {
    return padded(scales() + 4 * rows * groups(group));
  }

  /** Bytes of a row of nibbles: runs of 32 columns. */
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
