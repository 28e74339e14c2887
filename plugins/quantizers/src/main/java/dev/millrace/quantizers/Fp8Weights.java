package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;

/**
 * A matrix of E4M3 with scales by which its numbers are multiplied; F32 comes of it where blocks
 * are no multiple of 16 columns, and of E5M2.
 *
 * @param weight F8_E4M3 or F8_E5M2 [rows, columns]
 */
record Fp8Weights(Stored weight, ScaleGrid grid) {
  /** The weight tensor of a module. */
  static Stored weight(String matrix, Checkpoint checkpoint) {
    return Stored.matrix(checkpoint, matrix + ".weight", DType.F8_E4M3, DType.F8_E5M2);
  }

  /** Whether the module is stored so. */
  static boolean stored(String matrix, Checkpoint checkpoint) {
    String name = matrix + ".weight";
    return checkpoint.has(name)
        && switch (checkpoint.tensor(name).dtype()) {
          case F8_E4M3, F8_E5M2 -> true;
          case F64, F32, F16, BF16, F8_E8M0, I64, I32, I16, I8, U64, U32, U16, U8, BOOL -> false;
        };
  }

  PackedMatrix matrix(String owner, Checkpoint checkpoint) {
    checkScales();
    boolean fits = weight.tensor().dtype() == DType.F8_E4M3 && grid.blockCols() % 16 == 0;
    DeviceFormat format =
        fits ? new DeviceFormat.Fp8(grid.blockRows(), grid.blockCols()) : new DeviceFormat.F32();
    var matrix =
        PackedMatrix.allocate(
            owner, weight.side(0), weight.side(1), format, new int[0], checkpoint);
    if (fits) {
      copy(matrix);
    } else {
      Packing.fillNumbers(
          matrix,
          () -> {
            byte[] bytes = new byte[matrix.cols()];
            return (row, out) -> numbers(row, bytes, out);
          });
    }
    return matrix;
  }

  private void checkScales() {
    for (int i = 0; i < grid.down(); i++) {
      for (int j = 0; j < grid.across(); j++) {
        float scale = grid.at(i, j);
        if (!Float.isFinite(scale * 448) || (scale == 0 && !vanishes(i, j))) {
          throw new InferenceException(
              ErrorCode.INVALID_CHECKPOINT,
              "%s has a scale of %s at [%d, %d]".formatted(grid.scales().name(), scale, i, j));
        }
      }
    }
  }

  /** Whether all numbers of a block are 0, whatever its scale. */
  private boolean vanishes(int i, int j) {
    int rows = grid.blockRows() == 0 ? weight.side(0) : grid.blockRows();
    int cols = grid.blockCols() == 0 ? weight.side(1) : grid.blockCols();
    byte[] read = new byte[weight.side(1)];
    for (int row = i * rows; row < Math.min(weight.side(0), (i + 1) * rows); row++) {
      read(row, read);
      for (int col = j * cols; col < Math.min(read.length, (j + 1) * cols); col++) {
        if ((read[col] & 127) != 0) {
          return false;
        }
      }
    }
    return true;
  }

  private void copy(PackedMatrix matrix) {
    Packing.forEachRow(
        matrix.rows(),
        () -> {
          byte[] bytes = new byte[matrix.cols()];
          return row -> {
            read(row, bytes);
            check(!anyNaN(bytes), row);
            matrix.put(row, bytes);
          };
        });
    float[] scales = new float[grid.across()];
    for (int i = 0; i < grid.down(); i++) {
      for (int j = 0; j < scales.length; j++) {
        scales[j] = grid.at(i, j);
      }
      matrix.putScales(i, scales);
    }
  }

  private static boolean anyNaN(byte[] bytes) {
    int carried = 0;
    for (byte bits : bytes) {
      carried |= (bits & 127) + 1; // reaches the eighth bit from 127 only
    }
    return (carried & 128) != 0;
  }

  private void numbers(int row, byte[] bytes, float[] out) {
    read(row, bytes);
    boolean e4m3 = weight.tensor().dtype() == DType.F8_E4M3;
    for (int i = 0; i < out.length; i++) {
      float number = e4m3 ? Float8.e4m3(bytes[i]) : Float8.e5m2(bytes[i]);
      check(Float.isFinite(number), row);
      out[i] = number * grid.of(row, grid.blockCols() == 0 ? 0 : i / grid.blockCols());
    }
  }

  private void check(boolean number, int row) {
    if (!number) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          weight.name() + " has a weight in row " + row + " that is not a finite number");
    }
  }

  private void read(int row, byte[] bytes) {
    long at = Math.multiplyFull(row, bytes.length);
    weight.octets(at, bytes, bytes.length);
  }
}
