package dev.millrace.testkit;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Reads, and for tests writes, {@link QuantizedMatrix#packed()} as {@code docs/device-formats.md}
 * describes it, by itself: the SPI's own reckoning is not used.
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
      case DeviceFormat.Int8(_, boolean zeros, _) ->
          (zeros ? behind() : scales()) + rows * lineBytes();
      case DeviceFormat.Int4(_, boolean zeros, _) ->
          (zeros ? behind() : scales()) + rows * lineBytes();
      case DeviceFormat.Own _ -> 0;
      case DeviceFormat.Code4 _ -> behind() + 64;
      case DeviceFormat.Fp8(int blockRows, _) ->
          scales() + lineBytes() * (blockRows == 0 ? 1 : Math.ceilDiv(rows, blockRows));
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
      case DeviceFormat.Int8(_, boolean zeros, _) -> {
        float scaled = packed.get(JAVA_BYTE, index) * number(scales(), row, col);
        yield zeros ? scaled - number(behind(), row, col) : scaled;
      }
      case DeviceFormat.Int4(_, boolean zeros, _) -> {
        float scale = number(scales(), row, col);
        int code = code(row, col);
        yield zeros ? code * scale - number(behind(), row, col) : (code - 8) * scale;
      }
      case DeviceFormat.Own _ -> throw new AssertionError("only its plugin reads it");
      case DeviceFormat.Code4 _ ->
          packed.get(FLOAT, behind() + 4L * code(row, col)) * number(scales(), row, col);
      case DeviceFormat.Fp8(int blockRows, _) ->
          e4m3(packed.get(JAVA_BYTE, index))
              * number(scales(), blockRows == 0 ? 0 : row / blockRows, col);
    };
  }

  /** The scale or the zero of a column. */
  private float number(long part, long line, long col) {
    long index = group() == 0 ? 0 : col / group();
    long at = part + line * lineBytes();
    return switch (type()) {
      case F32 -> packed.get(FLOAT, at + 4 * index);
      case F16 -> Float.float16ToFloat(packed.get(SHORT, at + 2 * index));
      case BF16 -> Float.intBitsToFloat(packed.get(SHORT, at + 2 * index) << 16);
      case TWO_LEVEL ->
          packed.get(JAVA_BYTE, at + 2 * factors() + index)
              * Float.float16ToFloat(packed.get(SHORT, at + 2 * (col / 256)));
    };
  }

  /**
   * Writes a scale or a zero, as nearly as its type can; on two levels with a byte between 8 and
   * 127 in size, by a factor that all of its 256 columns share and the first of them chooses.
   */
  void put(long part, long line, long index, double number) {
    long at = part + line * lineBytes();
    switch (type()) {
      case F32 -> packed.set(FLOAT, at + 4 * index, (float) number);
      case F16 -> packed.set(SHORT, at + 2 * index, Float.floatToFloat16((float) number));
      case BF16 -> {
        int bits = Float.floatToRawIntBits((float) number);
        packed.set(SHORT, at + 2 * index, (short) (bits >> 16));
      }
      case TWO_LEVEL -> {
        long col = index * group();
        long factor = at + 2 * (col / 256);
        if (col % 256 == 0) {
          packed.set(SHORT, factor, Float.floatToFloat16((float) (Math.abs(number) / 40)));
        }
        double steps = number / Float.float16ToFloat(packed.get(SHORT, factor));
        packed.set(JAVA_BYTE, at + 2 * factors() + index, (byte) Math.clamp(steps, -128, 127));
      }
    }
  }

  /** Takes each row's scales in turn. */
  interface Scales {
    void take(long line, long index);
  }

  /** Goes over all scales of a format that has a line of them a row. */
  void forEachScale(Scales scales) {
    for (long line = 0; line < rows; line++) {
      for (long index = 0; index < groups(); index++) {
        scales.take(line, index);
      }
    }
  }

  /** Whether scales are on two levels. */
  boolean hasLevels() {
    return type() == ScaleType.TWO_LEVEL;
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
  long behind() {
    return padded(scales() + rows * lineBytes());
  }

  /** Bytes of the scales of a row, or of its zeros. */
  private long lineBytes() {
    return switch (type()) {
      case F32 -> 4 * groups();
      case F16, BF16 -> 2 * groups();
      case TWO_LEVEL -> 2 * factors() + groups();
    };
  }

  private long factors() {
    return Math.ceilDiv(cols, 256);
  }

  private ScaleType type() {
    return switch (matrix.format()) {
      case DeviceFormat.Int8 int8 -> int8.scales();
      case DeviceFormat.Int4 int4 -> int4.scales();
      case DeviceFormat.F32 _,
          DeviceFormat.Bf16 _,
          DeviceFormat.F16 _,
          DeviceFormat.Code4 _,
          DeviceFormat.Fp8 _,
          DeviceFormat.Own _ ->
          ScaleType.F32;
    };
  }

  /** Columns that share a scale; 0: all. */
  private int group() {
    return switch (matrix.format()) {
      case DeviceFormat.Int8 int8 -> int8.group();
      case DeviceFormat.Int4 int4 -> int4.group();
      case DeviceFormat.Code4 code4 -> code4.group();
      case DeviceFormat.Fp8 fp8 -> fp8.blockCols();
      case DeviceFormat.F32 _, DeviceFormat.Bf16 _, DeviceFormat.F16 _, DeviceFormat.Own _ -> 0;
    };
  }

  /** Bytes of a row of nibbles: runs of 32 columns. */
  private long runs() {
    return 16 * Math.ceilDiv(cols, 32);
  }

  /** Scales of a row. */
  long groups() {
    return group() == 0 ? 1 : Math.ceilDiv(cols, group());
  }

  private static long padded(long bytes) {
    return Math.ceilDiv(bytes, 64) * 64;
  }
}
