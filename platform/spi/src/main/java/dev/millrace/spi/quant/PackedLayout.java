package dev.millrace.spi.quant;

/**
 * Where the parts of a matrix lie in {@link QuantizedMatrix#packed()}, in bytes from its start, as
 * {@code docs/device-formats.md} has them.
 *
 * @param rowBytes of a row of numbers or codes
 * @param groups scales that follow one another for a row, or for a row of blocks; 0 without scales
 * @param scales where the scales begin
 * @param behind where the zeros or the table begin; the length where there are none
 * @param length of everything
 */
public record PackedLayout(long rowBytes, int groups, long scales, long behind, long length) {
  private static final int TABLE = 16;

  /** The layout of a matrix of this size. */
  public static PackedLayout of(DeviceFormat format, int rows, int cols) {
    return switch (format) {
      case DeviceFormat.F32 _ -> plain(rows, 4L * cols);
      case DeviceFormat.Bf16 _, DeviceFormat.F16 _ -> plain(rows, 2L * cols);
      case DeviceFormat.Own _ -> plain(rows, 0);
      case DeviceFormat.Int8(int group, boolean zeros) ->
          grouped(rows, cols, parts(group, cols), zeros);
      case DeviceFormat.Int4(int group, boolean zeros) ->
          grouped(rows, nibbles(cols), Math.ceilDiv(cols, group), zeros);
      case DeviceFormat.Code4(int group) -> {
        var coded = grouped(rows, nibbles(cols), Math.ceilDiv(cols, group), false);
        long table = padded(coded.length);
        yield new PackedLayout(
            coded.rowBytes, coded.groups, coded.scales, table, table + TABLE * Float.BYTES);
      }
      case DeviceFormat.Fp8(int blockRows, int blockCols) -> {
        long scales = padded(Math.multiplyFull(rows, cols));
        int across = parts(blockCols, cols);
        long length = scales + Float.BYTES * Math.multiplyFull(parts(blockRows, rows), across);
        yield new PackedLayout(cols, across, scales, length, length);
      }
    };
  }

  private static PackedLayout plain(int rows, long rowBytes) {
    long length = rows * rowBytes;
    return new PackedLayout(rowBytes, 0, length, length, length);
  }

  private static PackedLayout grouped(int rows, long rowBytes, int groups, boolean zeros) {
    long scales = padded(rows * rowBytes);
    long numbers = Float.BYTES * Math.multiplyFull(rows, groups);
    long behind = zeros ? padded(scales + numbers) : scales + numbers;
    return new PackedLayout(rowBytes, groups, scales, behind, zeros ? behind + numbers : behind);
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
