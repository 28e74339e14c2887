package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DeviceFormat;

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
  /** So few that products with codes and zeros are exact, and differences of these. */
  private static final int DIGITS = 16;

  private final AffineCodes codes;
  private final ColumnGroups groups;
  private final int[] order;
  private final DeviceFormat format;

  /** What is taken from codes where the format has zeros. */
  private final int middle;

  private AffineMatrix(AffineCodes codes) {
    this.codes = codes;
    this.groups = codes.groups();
    this.middle = codes.bits() > 4 ? 1 << (codes.bits() - 1) : 0;
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
      case DeviceFormat.Int8(int group, boolean zeros) ->
          Packing.fill(matrix, (first, count) -> rows(first, count, group, zeros));
      case DeviceFormat.Int4(int group, boolean zeros) ->
          Packing.fill(matrix, (first, count) -> rows(first, count, group, zeros));
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
    int lowest = Integer.MAX_VALUE;
    int highest = Integer.MIN_VALUE;
    boolean exact = true;
    for (int row = 0; row < codes.rows(); row++) {
      for (int g = 0; g < groups.count(); g++) {
        int zero = codes.zero(row, g);
        lowest = Math.min(lowest, zero);
        highest = Math.max(highest, zero);
        exact &= isShort(checkedScale(row, g));
      }
    }
    int group = groups.device();
    int largest = (1 << codes.bits()) - 1;
    if (group == 0) {
      return new DeviceFormat.F32();
    }
    if (codes.bits() <= 4) {
      return -highest >= -8 && largest - lowest <= 7
          ? new DeviceFormat.Int4(group, false)
          : exact ? new DeviceFormat.Int4(group, true) : new DeviceFormat.Int8(group, false);
    }
    boolean centred = lowest == middle && highest == middle;
    boolean narrow = highest <= 127 && largest - lowest <= 127;
    boolean plain = narrow || (centred && !anyZeroCode());
    return plain || centred || exact
        ? new DeviceFormat.Int8(groups.count() == 1 ? 0 : group, !plain)
        : new DeviceFormat.F32();
  }

  private float checkedScale(int row, int group) {
    float scale = codes.scale(row, group);
    if (!Float.isFinite(scale * (1 << codes.bits()))) {
      throw wrong(row, group, scale, "which makes weights that are no numbers");
    }
    if (scale == 0 && !vanishes(row, group)) {
      throw wrong(row, group, scale, "and codes that are not zero");
    }
    return scale;
  }

  private InferenceException wrong(int row, int group, float scale, String why) {
    return new InferenceException(
        ErrorCode.INVALID_CHECKPOINT,
        "%s has a scale of %s for row %d, group %d, %s"
            .formatted(codes.scaleTensor(), scale, row, group, why));
  }

  /** Whether all codes of a group stand for 0, whatever its scale. */
  private boolean vanishes(int row, int group) {
    byte[] read = row(row);
    int zero = codes.zero(row, group);
    for (int i = 0; i < read.length; i++) {
      if (groups.of(i) == group && (read[i] & 255) != zero) {
        return false;
      }
    }
    return true;
  }

  private byte[] row(int row) {
    byte[][] read = new byte[1][groups.cols()];
    codes.read(row, read);
    return read[0];
  }

  private static boolean isShort(float scale) {
    int spare = Float.floatToRawIntBits(scale) & ((1 << (24 - DIGITS)) - 1);
    float size = Math.abs(scale);
    return spare == 0 && (size == 0 || (size > 0x1p-100f && size < 0x1p100f));
  }

  private boolean anyZeroCode() {
    for (int first = 0; first < codes.rows(); first += Packing.TOGETHER) {
      int count = Math.min(Packing.TOGETHER, codes.rows() - first);
      byte[][] read = new byte[count][groups.cols()];
      codes.read(first, read);
      for (byte[] row : read) {
        for (byte code : row) {
          if (code == 0) {
            return true;
          }
        }
      }
    }
    return false;
  }

  private Packing.Rows rows(int first, int count, int deviceGroup, boolean zeros) {
    byte[][] read = new byte[count][groups.cols()];
    codes.read(first, read);
    int length = deviceGroup == 0 ? groups.cols() : deviceGroup;
    return (i, out) -> coded(first + i, read[i], length, zeros, out);
  }

  private void coded(int row, byte[] from, int length, boolean zeros, CodedRow out) {
    int[] to = out.codes();
    for (int g = 0; g * length < from.length; g++) {
      int group = g * length / groups.size();
      float scale = codes.scale(row, group);
      int zero = codes.zero(row, group);
      int taken = zeros ? middle : zero;
      out.scales()[g] = scale;
      out.zeros()[g] = (zero - taken) * scale;
      int end = Math.min(from.length, (g + 1) * length);
      if (order.length == 0) {
        for (int c = g * length; c < end; c++) {
          to[c] = (from[c] & 255) - taken;
        }
      } else {
        for (int c = g * length; c < end; c++) {
          to[c] = (from[order[c]] & 255) - taken;
        }
      }
    }
  }

  private void numbers(int row, float[] out) {
    byte[] read = row(row);
    for (int i = 0; i < out.length; i++) {
      int group = groups.of(i);
      out[i] = ((read[i] & 255) - codes.zero(row, group)) * codes.scale(row, group);
    }
  }
}
