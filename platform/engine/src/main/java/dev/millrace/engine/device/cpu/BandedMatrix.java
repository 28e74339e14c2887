package dev.millrace.engine.device.cpu;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A matrix of four-bit codes in bands of {@link #BAND} rows, the order that {@code
 * docs/device-formats.md} describes and {@code bands.h} multiplies: as long as it was in rows.
 *
 * @param layout of the same matrix in rows; its parts begin where that says
 */
record BandedMatrix(
    int rows,
    int cols,
    DeviceFormat format,
    PackedLayout layout,
    MemorySegment packed,
    int[] inputOrder)
    implements QuantizedMatrix {
  /** Rows of a band; the last one has those that are left. */
  static final int BAND = 16;

  /** Rows that a thread rearranges before it asks for more. */
  private static final int TOGETHER = 16 * BAND;

  /** Whether a format's codes have four bits. */
  static boolean takes(DeviceFormat format) {
    return format instanceof DeviceFormat.Int4 || format instanceof DeviceFormat.Code4;
  }

  /** Rearranges a matrix where it lies; it is not to be read by anybody else from then on. */
  static BandedMatrix inPlace(QuantizedMatrix matrix, NativeFunctions functions) {
    var banded = in(matrix, matrix.packed());
    banded.rearrange(false, functions);
    return banded;
  }

  /** A matrix in bands: itself, or a copy. */
  static BandedMatrix of(QuantizedMatrix matrix, NativeFunctions functions, Arena arena) {
    if (matrix instanceof BandedMatrix banded) {
      return banded;
    }
    var packed = matrix.packed();
    var copy = in(matrix, arena.allocate(packed.byteSize(), 64).copyFrom(packed));
    copy.rearrange(false, functions);
    return copy;
  }

  private static BandedMatrix in(QuantizedMatrix matrix, MemorySegment memory) {
    var layout = PackedLayout.of(matrix.format(), matrix.rows(), matrix.cols());
    return new BandedMatrix(
        matrix.rows(), matrix.cols(), matrix.format(), layout, memory, matrix.inputOrder());
  }

  /** A copy in rows. */
  MemorySegment inRows(NativeFunctions functions, Arena arena) {
    var copy = arena.allocate(packed.byteSize(), 64).copyFrom(packed);
    var matrix = new BandedMatrix(rows, cols, format, layout, copy, inputOrder);
    matrix.rearrange(true, functions);
    return copy;
  }

  private void rearrange(boolean back, NativeFunctions functions) {
    var parts = parts();
    IntStream.range(0, Math.ceilDiv(rows, TOGETHER))
        .parallel()
        .map(chunk -> chunk * TOGETHER)
        .forEach(
            first -> rearrange(parts, first, Math.min(TOGETHER, rows - first), back, functions));
  }

  private void rearrange(
      List<Part> parts, int first, int count, boolean back, NativeFunctions functions) {
    try (var brief = Arena.ofConfined()) {
      for (var part : parts) {
        long bytes = part.line().bytes();
        var scratch = brief.allocate(BAND * bytes, 64);
        var lines = packed.asSlice(part.start() + first * bytes, count * bytes);
        functions.arrangeBands(lines, count, part.line(), back, scratch);
      }
    }
  }

  /**
   * What rows have one after the other.
   *
   * @param start of row 0's
   */
  private record Part(long start, BandLine line) {}

  private List<Part> parts() {
    var parts = new ArrayList<Part>();
    parts.add(new Part(0, BandLine.ofCodes(layout)));
    parts.add(new Part(layout.scales(), BandLine.ofNumbers(layout)));
    if (hasZeros()) {
      parts.add(new Part(layout.behind(), BandLine.ofNumbers(layout)));
    }
    return parts;
  }

  private boolean hasZeros() {
    return format instanceof DeviceFormat.Int4(_, boolean zeros, _) && zeros;
  }

  @Override
  public void decodeRow(int row, float[] out) {
    int first = row / BAND * BAND;
    int here = Math.min(BAND, rows - first);
    var one = PackedLayout.of(format, 1, cols);
    var alone = MemorySegment.ofArray(new byte[Math.toIntExact(one.length())]);
    long[] starts = {0, one.scales(), one.behind()};
    var parts = parts();
    for (int i = 0; i < parts.size(); i++) {
      var part = parts.get(i);
      long band = part.start() + first * part.line().bytes();
      part.line().copyRow(packed.asSlice(band), here, row - first, alone.asSlice(starts[i]));
    }
    float[] scales = new float[layout.groups()];
    float[] zeros = new float[layout.groups()];
    one.readScales(alone, 0, scales, 0);
    if (hasZeros()) {
      one.readZeros(alone, 0, zeros, 0);
    }
    float[] codes = codes();
    for (int i = 0; i < cols; i++) {
      int both = alone.get(ValueLayout.JAVA_BYTE, 16 * (i / 32) + i % 16);
      int code = i % 32 < 16 ? both & 15 : both >> 4 & 15;
      int group = i / layout.group();
      float weight = codes[code] * scales[group];
      int input = inputOrder.length == 0 ? i : inputOrder[i];
      out[input] = hasZeros() ? weight - zeros[group] : weight;
    }
  }

  /** What each code is before it is scaled. */
  private float[] codes() {
    float[] codes = new float[1 << 4];
    if (format instanceof DeviceFormat.Code4) {
      var table = packed.asSlice(layout.behind(), (long) Float.BYTES * codes.length);
      MemorySegment.copy(table, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, codes, 0, codes.length);
      return codes;
    }
    for (int i = 0; i < codes.length; i++) {
      codes[i] = hasZeros() ? i : i - 8;
    }
    return codes;
  }
}
