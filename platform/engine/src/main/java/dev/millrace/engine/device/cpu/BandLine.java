package dev.millrace.engine.device.cpu;

import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;

/**
 * What a row has of a part of a matrix, as bands take it apart: of a band's rows, first elements
 * lie beside each other, then second ones.
 *
 * @param sections one after the other
 */
record BandLine(List<Section> sections) {
  private static final VarHandle INTS =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());
  private static final VarHandle SHORTS =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.nativeOrder());

  /**
   * Elements of a kind.
   *
   * @param width bytes of one: 1, 2 or 4
   */
  record Section(int width, int count) {
    int bytes() {
      return width * count;
    }
  }

  /** Codes, in words. */
  static BandLine ofCodes(PackedLayout layout) {
    return new BandLine(List.of(new Section(4, Math.toIntExact(layout.rowBytes() / 4))));
  }

  /** Scales or zeros. */
  static BandLine ofNumbers(PackedLayout layout) {
    int groups = layout.groups();
    return new BandLine(
        switch (layout.type()) {
          case F32 -> List.of(new Section(4, groups));
          case F16, BF16 -> List.of(new Section(2, groups));
          case TWO_LEVEL -> {
            int factors = Math.ceilDiv(groups * layout.group(), ScaleType.BLOCK);
            yield List.of(new Section(2, factors), new Section(1, groups));
          }
        });
  }

  int bytes() {
    return sections.stream().mapToInt(Section::bytes).sum();
  }

  /**
   * Puts a band's elements in order.
   *
   * @param rows of the band
   * @param intoBands otherwise back into rows
   */
  void rearrange(int rows, boolean intoBands, byte[] from, byte[] to) {
    int bytes = bytes();
    int before = 0;
    for (var section : sections) {
      int width = section.width();
      for (int element = 0; element < section.count(); element++) {
        int inRow = before + width * element;
        int inBand = rows * inRow;
        for (int row = 0; row < rows; row++, inRow += bytes, inBand += width) {
          if (intoBands) {
            copy(width, from, inRow, to, inBand);
          } else {
            copy(width, from, inBand, to, inRow);
          }
        }
      }
      before += section.bytes();
    }
  }

  private static void copy(int width, byte[] from, int at, byte[] to, int where) {
    switch (width) {
      case 4 -> INTS.set(to, where, (int) INTS.get(from, at));
      case 2 -> SHORTS.set(to, where, (short) SHORTS.get(from, at));
      default -> to[where] = from[at];
    }
  }

  /** Copies one of a band's rows. */
  void copyRow(MemorySegment band, int rows, int row, MemorySegment to) {
    long at = 0;
    for (var section : sections) {
      int width = section.width();
      for (int element = 0; element < section.count(); element++, at += width) {
        MemorySegment.copy(band, rows * at + (long) row * width, to, at, width);
      }
    }
  }
}
