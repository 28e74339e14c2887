package dev.millrace.quantizers;

import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.ScaleType;

/**
 * Puts integers with zeros and scales into the narrowest device format that holds each weight to
 * the last bit:
 *
 * <ul>
 *   <li>INT4 where q − z is from −8 to 7, as it is of 2 and 3 bits and of symmetric 4; else with
 *       zeros, if scales have so few digits (as F16 and BF16 do) that its subtraction is exact;
 *       else INT8;
 *   <li>INT8 of 5 to 7 bits, and of 8 bits around 128; with zeros if −128 occurs, or zeros do;
 *   <li>F32 where groups are no multiple of 16 or of unlike sizes, and of 8 bits with zeros and
 *       scales of too many digits.
 * </ul>
 */
final class AffineMatrix {
  private final AffineCodes codes;
  private final ColumnGroups groups;
  private final AffineGroups numbers;
  private final DeviceFormat format;
  private final int[] order;

  /** What is taken from codes where the format has zeros. */
  private final int middle;

  private AffineMatrix(AffineCodes codes) {
    this.codes = codes;
    this.groups = codes.groups();
    this.middle = codes.bits() > 4 ? 1 << (codes.bits() - 1) : 0;
    this.numbers = AffineGroups.of(codes);
    this.format = format();
    this.order = format instanceof DeviceFormat.F32 ? new int[0] : groups.order();
  }

  /** The matrix, in memory of the checkpoint's. */
  static PackedMatrix of(AffineCodes codes, String owner, Checkpoint checkpoint) {
    return new AffineMatrix(codes).pack(owner, checkpoint);
  }

  private PackedMatrix pack(String owner, Checkpoint checkpoint) {
    var matrix =
        PackedMatrix.allocate(owner, codes.rows(), groups.cols(), format, order, checkpoint);
    switch (format) {
      case DeviceFormat.F32 _ -> Packing.fillNumbers(matrix, this::numbers);
      case DeviceFormat.Int8(int group, boolean zeros, _) ->
          Packing.fill(matrix, () -> coded(group == 0 ? groups.cols() : group, zeros));
      case DeviceFormat.Int4(int group, boolean zeros, _) ->
          Packing.fill(matrix, () -> coded(group, zeros));
      case DeviceFormat.Bf16 _,
          DeviceFormat.F16 _,
          DeviceFormat.Code4 _,
          DeviceFormat.Fp8 _,
          DeviceFormat.Own _ ->
          throw new AssertionError("integers in " + format);
    }
    return matrix;
  }

  private DeviceFormat format() {
    int group = groups.device();
    int largest = (1 << codes.bits()) - 1;
    if (group == 0) {
      return new DeviceFormat.F32();
    }
    if (codes.bits() <= 4) {
      return -numbers.highest() >= -8 && largest - numbers.lowest() <= 7
          ? new DeviceFormat.Int4(group, false, codes.scaleType())
          : numbers.exact() ? new DeviceFormat.Int4(group, true) : int8(false);
    }
    boolean centred = numbers.lowest() == middle && numbers.highest() == middle;
    boolean narrow = numbers.highest() <= 127 && largest - numbers.lowest() <= 127;
    boolean plain = narrow || (centred && !anyZeroCode());
    return plain || centred || numbers.exact() ? int8(!plain) : new DeviceFormat.F32();
  }

  /** Products of zeros and scales have more digits than scales. */
  private DeviceFormat int8(boolean zeros) {
    boolean byRow = groups.count() == 1;
    return new DeviceFormat.Int8(
        byRow ? 0 : groups.device(), zeros, zeros || byRow ? ScaleType.F32 : codes.scaleType());
  }

  private boolean anyZeroCode() {
    return Packing.anyRow(
        codes.rows(),
        () -> {
          var reader = codes.reader();
          return row -> {
            for (byte code : reader.read(row)) {
              if (code == 0) {
                return true;
              }
            }
            return false;
          };
        });
  }

  private Packing.Rows coded(int length, boolean zeros) {
    var reader = codes.reader();
    return (row, out) -> coded(row, reader.read(row), length, zeros, out);
  }

  private void coded(int row, byte[] from, int length, boolean zeros, CodedRow out) {
    byte[] to = out.codes();
    for (int g = 0; g * length < from.length; g++) {
      int group = g * length / groups.size();
      float scale = numbers.scale(row, group);
      int zero = numbers.zero(row, group);
      int taken = zeros ? middle : zero;
      out.scales()[g] = scale;
      out.zeros()[g] = (zero - taken) * scale;
      if (scale == 0) {
        checkVanishes(row, group, from);
      }
      int end = Math.min(from.length, (g + 1) * length);
      if (order.length == 0) {
        for (int c = g * length; c < end; c++) {
          to[c] = (byte) (from[c] - taken);
        }
      } else {
        for (int c = g * length; c < end; c++) {
          to[c] = (byte) (from[order[c]] - taken);
        }
      }
    }
  }

  private Packing.NumberRows numbers() {
    var reader = codes.reader();
    return (row, out) -> {
      byte[] from = reader.read(row);
      for (int i = 0; i < out.length; i++) {
        int group = groups.of(i);
        float scale = numbers.scale(row, group);
        out[i] = ((from[i] & 255) - numbers.zero(row, group)) * scale;
        if (scale == 0) {
          checkVanishes(row, group, from);
        }
      }
    };
  }

  /** All codes of a group that has no scale must stand for 0. */
  private void checkVanishes(int row, int group, byte[] from) {
    int zero = numbers.zero(row, group);
    for (int i = 0; i < from.length; i++) {
      if (groups.of(i) == group && (from[i] & 255) != zero) {
        throw AffineGroups.wrong(codes, row, group, 0, "and codes that are not zero");
      }
    }
  }
}
