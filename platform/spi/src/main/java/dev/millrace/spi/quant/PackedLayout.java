package dev.millrace.spi.quant;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Where the parts of a matrix lie in {@link QuantizedMatrix#packed()}, in bytes from its start, as
 * {@code docs/device-formats.md} has them.
 *
 * @param rowBytes of a row of numbers or codes
 * @param groups scales that follow one another for a row, or for a row of blocks; 0 without scales
 * @param group columns that share a scale; 0: all
 * @param type how scales and zeros are kept
 * @param lineBytes of the scales of a row, or of its zeros
 * @param scales where the scales begin
 * @param behind where the zeros or the table begin; the length where there are none
 * @param length of everything
 */
public record PackedLayout(
    long rowBytes,
    int groups,
    int group,
    ScaleType type,
    long lineBytes,
    long scales,
    long behind,
    long length) {
  private static final int TABLE = 16;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The layout of a matrix of this size. */
  public static PackedLayout of(DeviceFormat format, int rows, int cols) {
    return switch (format) {
      case DeviceFormat.F32 _ -> plain(rows, 4L * cols);
      case DeviceFormat.Bf16 _, DeviceFormat.F16 _ -> plain(rows, 2L * cols);
      case DeviceFormat.Own _ -> plain(rows, 0);
      case DeviceFormat.Int8(int group, boolean zeros, var type) ->
          grouped(rows, cols, cols, group, type, zeros);
      case DeviceFormat.Int4(int group, boolean zeros, var type) ->
          grouped(rows, cols, nibbles(cols), group, type, zeros);
      case DeviceFormat.Code4(int group) -> {
        var coded = grouped(rows, cols, nibbles(cols), group, ScaleType.F32, false);
        long table = padded(coded.length);
        yield coded.endingWith(table, table + TABLE * Float.BYTES);
      }
      case DeviceFormat.Fp8(int blockRows, int blockCols) -> {
        long scales = padded(Math.multiplyFull(rows, cols));
        int across = parts(blockCols, cols);
        long line = Float.BYTES * (long) across;
        long length = scales + line * parts(blockRows, rows);
        yield new PackedLayout(
            cols, across, blockCols, ScaleType.F32, line, scales, length, length);
      }
    };
  }

  private static PackedLayout plain(int rows, long rowBytes) {
    long length = rows * rowBytes;
    return new PackedLayout(rowBytes, 0, 0, ScaleType.F32, 0, length, length, length);
  }

  private static PackedLayout grouped(
      int rows, int cols, long rowBytes, int group, ScaleType type, boolean zeros) {
    long scales = padded(rows * rowBytes);
    int groups = parts(group, cols);
    long line =
        switch (type) {
          case F32 -> 4L * groups;
          case F16, BF16 -> 2L * groups;
          case TWO_LEVEL -> 2L * parts(ScaleType.BLOCK, cols) + groups;
        };
    long end = scales + rows * line;
    long behind = zeros ? padded(end) : end;
    long length = zeros ? behind + rows * line : end;
    return new PackedLayout(rowBytes, groups, group, type, line, scales, behind, length);
  }

  private PackedLayout endingWith(long table, long end) {
    return new PackedLayout(rowBytes, groups, group, type, lineBytes, scales, table, end);
  }

  /**
   * Reads the scales of a row, or of a row of blocks, as binary32.
   *
   * @param out gets {@link #groups} numbers
   * @param to where the first goes
   */
  public void readScales(MemorySegment packed, int row, float[] out, int to) {
    read(packed, scales + row * lineBytes, out, to);
  }

  /** Reads the zeros of a row of a format that has them, as {@link #readScales}. */
  public void readZeros(MemorySegment packed, int row, float[] out, int to) {
    read(packed, behind + row * lineBytes, out, to);
  }

  private void read(MemorySegment packed, long at, float[] out, int to) {
    switch (type) {
      case F32 -> MemorySegment.copy(packed, FLOAT, at, out, to, groups);
      case F16 -> {
        for (int g = 0; g < groups; g++) {
          out[to + g] = Float.float16ToFloat(packed.get(SHORT, at + 2L * g));
        }
      }
      case BF16 -> {
        for (int g = 0; g < groups; g++) {
          out[to + g] = Float.intBitsToFloat(packed.get(SHORT, at + 2L * g) << 16);
        }
      }
      case TWO_LEVEL -> {
        long bytes = at + lineBytes - groups;
        for (int g = 0; g < groups; g++) {
          long block = (long) g * group / ScaleType.BLOCK;
          float factor = Float.float16ToFloat(packed.get(SHORT, at + 2 * block));
          out[to + g] = packed.get(ValueLayout.JAVA_BYTE, bytes + g) * factor;
        }
      }
    }
  }

  private static long nibbles(int cols) {
    return 16L * Math.ceilDiv(cols, 32);
  }

  /** How many parts of a size there are in all; one of size 0. */
  private static int parts(int size, int all) {
    return size == 0 ? 1 : Math.ceilDiv(all, size);
  }

  private static long padded(long bytes) {
    return Math.ceilDiv(bytes, 64) * 64;
  }
}
