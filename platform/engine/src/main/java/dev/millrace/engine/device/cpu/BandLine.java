package dev.millrace.engine.device.cpu;

import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.MemorySegment;

/**
 * What a row has of a part of a matrix, as bands take it apart.
 *
 * @param factors numbers of two bytes that come first
 * @param width bytes of an element behind them: 1, 2 or 4
 */
record BandLine(int factors, int width, int elements) {
  /** Codes, in words. */
  static BandLine ofCodes(PackedLayout layout) {
    return new BandLine(0, 4, Math.toIntExact(layout.rowBytes() / 4));
  }

  /** Scales or zeros. */
  static BandLine ofNumbers(PackedLayout layout) {
    int groups = layout.groups();
    return switch (layout.type()) {
      case F32 -> new BandLine(0, 4, groups);
      case F16, BF16 -> new BandLine(0, 2, groups);
      case TWO_LEVEL ->
          new BandLine(Math.ceilDiv(groups * layout.group(), ScaleType.BLOCK), 1, groups);
    };
  }

  long bytes() {
    return 2L * factors + (long) width * elements;
  }

  /**
   * Copies one of a band's rows.
   *
   * @param rows of the band
   */
  void copyRow(MemorySegment band, int rows, int row, MemorySegment to) {
    for (long at = 0; at < 2L * factors; at += 2) {
      MemorySegment.copy(band, rows * at + 2L * row, to, at, 2);
    }
    for (long at = 2L * factors; at < bytes(); at += width) {
      MemorySegment.copy(band, rows * at + (long) width * row, to, at, width);
    }
  }
}
