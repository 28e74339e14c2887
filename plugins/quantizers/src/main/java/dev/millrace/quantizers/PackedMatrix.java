package dev.millrace.quantizers;

import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A matrix in any format but BF16 and F16, laid out as {@code docs/device-formats.md} says and
 * filled row by row. It keeps the memory it is given.
 */
record PackedMatrix(
    int rows,
    int cols,
    DeviceFormat format,
    PackedLayout layout,
    MemorySegment memory,
    int[] inputOrder)
    implements QuantizedMatrix {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * An empty matrix in memory of the checkpoint's.
   *
   * @param owner what it is made of, for an error
   * @param inputOrder of its columns; empty for that of the input
   */
  static PackedMatrix allocate(
      String owner,
      int rows,
      int cols,
      DeviceFormat format,
      int[] inputOrder,
      Checkpoint checkpoint) {
    var layout = PackedLayout.of(format, rows, cols);
    var memory = checkpoint.allocate(owner, layout.length());
    return new PackedMatrix(rows, cols, format, layout, memory, inputOrder);
  }

  @Override
  public MemorySegment packed() {
    return memory;
  }

  /** Puts the codes of a row in place, as the format packs them, or its numbers. */
  void put(int row, byte[] codes) {
    long at = row * layout.rowBytes();
    MemorySegment.copy(codes, 0, memory, ValueLayout.JAVA_BYTE, at, codes.length);
  }

  /** Puts the scales of a row in place, in a format whose scales are binary32. */
  void putScales(int row, float[] scales) {
    put(layout.scales(), row, scales, scales);
  }

  /** Puts the scales of a row in place. */
  void putScales(int row, CodedRow coded) {
    put(layout.scales(), row, coded.scales(), coded.scaleFactors());
  }

  /** Puts the zeros of a row in place. */
  void putZeros(int row, CodedRow coded) {
    put(layout.behind(), row, coded.zeros(), coded.zeroFactors());
  }

  private void put(long part, int row, float[] numbers, float[] factors) {
    long at = part + row * layout.lineBytes();
    int groups = layout.groups();
    switch (layout.type()) {
      case F32 -> MemorySegment.copy(numbers, 0, memory, FLOAT, at, groups);
      case F16 -> putHalves(at, numbers, groups);
      case BF16 -> {
        for (int g = 0; g < groups; g++) {
          memory.set(SHORT, at + 2L * g, (short) (Float.floatToRawIntBits(numbers[g]) >> 16));
        }
      }
      case TWO_LEVEL -> {
        putHalves(at, factors, factors.length);
        for (int g = 0; g < groups; g++) {
          memory.set(ValueLayout.JAVA_BYTE, at + 2L * factors.length + g, (byte) numbers[g]);
        }
      }
    }
  }

  private void putHalves(long at, float[] numbers, int count) {
    for (int i = 0; i < count; i++) {
      memory.set(SHORT, at + 2L * i, Float.floatToFloat16(numbers[i]));
    }
  }

  /** Puts the 16 numbers of CODE4 in place. */
  void putTable(float[] table) {
    MemorySegment.copy(table, 0, memory, FLOAT, layout.behind(), table.length);
  }

  @Override
  public void decodeRow(int row, float[] out) {
    if (inputOrder.length == 0) {
      decodePacked(row, out);
      return;
    }
    float[] packed = new float[cols];
    decodePacked(row, packed);
    for (int i = 0; i < cols; i++) {
      out[inputOrder[i]] = packed[i];
    }
  }

  private void decodePacked(int row, float[] out) {
    if (format instanceof DeviceFormat.F32) {
      MemorySegment.copy(memory, FLOAT, row * layout.rowBytes(), out, 0, cols);
      return;
    }
    byte[] codes = new byte[Math.toIntExact(layout.rowBytes())];
    long at = row * layout.rowBytes();
    MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, at, codes, 0, codes.length);
    switch (format) {
      case DeviceFormat.Int8(int group, boolean zeros, _) -> {
        int length = group == 0 ? cols : group;
        for (int i = 0; i < cols; i++) {
          out[i] = codes[i];
        }
        scale(row, length, zeros, out);
      }
      case DeviceFormat.Int4(int group, boolean zeros, _) -> {
        for (int i = 0; i < cols; i++) {
          out[i] = zeros ? nibble(codes, i) : nibble(codes, i) - 8;
        }
        scale(row, group, zeros, out);
      }
      case DeviceFormat.Code4(int group) -> {
        float[] table = new float[16];
        MemorySegment.copy(memory, FLOAT, layout.behind(), table, 0, table.length);
        for (int i = 0; i < cols; i++) {
          out[i] = table[nibble(codes, i)];
        }
        scale(row, group, false, out);
      }
      case DeviceFormat.Fp8(int blockRows, int blockCols) -> {
        for (int i = 0; i < cols; i++) {
          out[i] = Float8.e4m3(codes[i]);
        }
        int blockRow = blockRows == 0 ? 0 : row / blockRows;
        scale(blockRow, blockCols == 0 ? cols : blockCols, false, out);
      }
      case DeviceFormat.F32 _, DeviceFormat.Bf16 _, DeviceFormat.F16 _, DeviceFormat.Own _ ->
          throw new AssertionError("a packed matrix in " + format);
    }
  }

  private static int nibble(byte[] codes, int column) {
    int both = codes[16 * (column / 32) + column % 16];
    return column % 32 < 16 ? both & 15 : (both >> 4) & 15;
  }

  private void scale(int row, int group, boolean withZeros, float[] out) {
    float[] scales = new float[layout.groups()];
    float[] zeros = new float[layout.groups()];
    layout.readScales(memory, row, scales, 0);
    if (withZeros) {
      layout.readZeros(memory, row, zeros, 0);
    }
    for (int i = 0; i < cols; i++) {
      float scaled = out[i] * scales[i / group];
      out[i] = withZeros ? scaled - zeros[i / group] : scaled;
    }
  }
}
