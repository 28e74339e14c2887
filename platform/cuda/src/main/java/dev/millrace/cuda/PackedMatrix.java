package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How a matrix goes into device memory: as in its packed form ({@code docs/device-formats.md}), or
 * decoded to plain numbers if no kernel reads that.
 *
 * @param format its name in the kernels' symbols
 * @param group columns that share a scale; 0: all
 * @param data where numbers or codes lie in the packed form, and how many bytes they take
 * @param scales where these begin, and how many bytes they take as binary32 on the device, where
 *     every row has its own, whatever the packed form has; empty: none
 * @param zeros the same for these; or where the numbers lie that codes name; empty: none
 * @param table those numbers; empty: codes are numbers
 * @param decoded whether it goes there as plain numbers, whatever its own format
 */
record PackedMatrix(
    String format,
    int group,
    Section data,
    Section scales,
    Section zeros,
    List<Float> table,
    boolean decoded) {
  private static final int ALIGNMENT = 256;

  /** Numbers that codes of four bits name. */
  private static final int NAMES = 16;

  PackedMatrix {
    table = List.copyOf(table);
  }

  /** Bytes of the packed form. */
  record Section(long offset, long bytes) {
    static final Section NONE = new Section(0, 0);
  }

  /**
   * How this one goes there.
   *
   * @param precision of decoded numbers
   */
  static PackedMatrix of(QuantizedMatrix matrix, Precision precision) {
    var layout = PackedLayout.of(matrix.format(), matrix.rows(), matrix.cols());
    var data = new Section(0, matrix.rows() * layout.rowBytes());
    long numbers = Float.BYTES * Math.multiplyFull(matrix.rows(), layout.groups());
    var scales = new Section(layout.scales(), numbers);
    var behind = new Section(layout.behind(), numbers);
    return switch (matrix.format()) {
      case DeviceFormat.F32 _ -> plain("f32", data);
      case DeviceFormat.Bf16 _ -> plain("bf16", data);
      case DeviceFormat.F16 _ -> plain("f16", data);
      case DeviceFormat.Int8(int group, boolean zeros, _) ->
          coded("int8", group, data, scales, zeros ? behind : Section.NONE);
      case DeviceFormat.Int4(int group, boolean zeros, _) ->
          coded("int4", group, data, scales, zeros ? behind : Section.NONE);
      case DeviceFormat.Fp8 fp8 -> {
        var blocks = new BlockScales(fp8, layout, matrix.cols());
        long bytes = Float.BYTES * Math.multiplyFull(matrix.rows(), blocks.groups());
        var repeated = new Section(layout.scales(), bytes);
        yield coded("fp8", blocks.group(), data, repeated, Section.NONE);
      }
      case DeviceFormat.Code4(int group) -> {
        var table = new Section(layout.behind(), Float.BYTES * (long) NAMES);
        yield new PackedMatrix(
            "code4", group, data, scales, table, names(matrix, table.offset), false);
      }
      case DeviceFormat.Own _ -> decoded(matrix, precision);
    };
  }

  private static PackedMatrix coded(
      String format, int group, Section data, Section scales, Section zeros) {
    return new PackedMatrix(format, group, data, scales, zeros, List.of(), false);
  }

  private static List<Float> names(QuantizedMatrix matrix, long at) {
    var packed = matrix.packed();
    return IntStream.range(0, NAMES)
        .mapToObj(i -> packed.get(JAVA_FLOAT_UNALIGNED, at + (long) Float.BYTES * i))
        .toList();
  }

  private static PackedMatrix plain(String format, Section data) {
    return new PackedMatrix(format, 0, data, Section.NONE, Section.NONE, List.of(), false);
  }

  private static PackedMatrix decoded(QuantizedMatrix matrix, Precision precision) {
    long bytes = precision.bytes() * Math.multiplyFull(matrix.rows(), matrix.cols());
    return new PackedMatrix(
        precision.suffix(), 0, new Section(0, bytes), Section.NONE, Section.NONE, List.of(), true);
  }

  /** Whether rows of both can follow one another as one matrix. */
  boolean isLike(PackedMatrix other) {
    return format.equals(other.format)
        && group == other.group
        && (zeros.bytes == 0) == (other.zeros.bytes == 0)
        && table.equals(other.table);
  }

  /** Bytes that it takes on the device, each section aligned. */
  long bytes() {
    return aligned(data.bytes) + aligned(scales.bytes) + aligned(zeros.bytes);
  }

  static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }
}
