package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.PackedLayout;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A matrix as the native product takes it.
 *
 * @param struct {@code struct matrix} of {@code matrix.h}
 * @param memory what {@code docs/device-formats.md} says, outside the Java heap
 * @param operand how it takes its activations
 */
record NativeMatrix(MemorySegment struct, MemorySegment memory, Operand operand) {

  /** What {@code matrix.h} calls a format, and how many columns and rows share a scale; 0: all. */
  private record Kind(int number, int columns, int rows) {
    static Kind of(DeviceFormat format) {
      return switch (format) {
        case DeviceFormat.F32 _ -> new Kind(0, 0, 1);
        case DeviceFormat.Bf16 _ -> new Kind(1, 0, 1);
        case DeviceFormat.F16 _ -> new Kind(2, 0, 1);
        case DeviceFormat.Int8(int group, boolean zeros, _) -> new Kind(zeros ? 4 : 3, group, 1);
        case DeviceFormat.Fp8(int blockRows, int blockCols) -> new Kind(5, blockCols, blockRows);
        case DeviceFormat.Int4(int group, boolean zeros, _) -> new Kind(zeros ? 7 : 6, group, 1);
        case DeviceFormat.Code4(int group) -> new Kind(8, group, 1);
        case DeviceFormat.Own _ -> throw new AssertionError("multiplied with in Java");
      };
    }
  }

  /** What {@code matrix.h} calls a type of scales. */
  private static int number(ScaleType type) {
    return switch (type) {
      case F32 -> 0;
      case F16 -> 1;
      case BF16 -> 2;
      case TWO_LEVEL -> 3;
    };
  }

  /**
   * Uses the matrix's memory where it lies, or a copy if that is on the heap or in another order.
   */
  static NativeMatrix of(
      QuantizedMatrix matrix, Operand operand, NativeFunctions functions, Arena arena) {
    var packed =
        functions.takesBands(operand, matrix.format())
            ? BandedMatrix.of(matrix, functions, arena).packed()
            : rows(matrix, functions, arena);
    var kind = Kind.of(matrix.format());
    var layout = PackedLayout.of(matrix.format(), matrix.rows(), matrix.cols());
    int groupRows = kind.rows() == 0 ? matrix.rows() : kind.rows();
    boolean power = Integer.bitCount(kind.columns()) == 1;
    long start = packed.address();
    var struct =
        arena.allocateFrom(
            JAVA_LONG,
            kind.number(),
            matrix.rows(),
            matrix.cols(),
            layout.rowBytes(),
            start,
            start + layout.scales(),
            start + layout.behind(),
            layout.groups(),
            kind.columns(),
            power ? Integer.numberOfTrailingZeros(kind.columns()) : -1,
            groupRows,
            number(layout.type()),
            layout.lineBytes());
    return new NativeMatrix(struct, packed, operand);
  }

  private static MemorySegment rows(
      QuantizedMatrix matrix, NativeFunctions functions, Arena arena) {
    if (matrix instanceof BandedMatrix banded) {
      return banded.inRows(functions, arena);
    }
    var packed = matrix.packed();
    return packed.isNative() ? packed : arena.allocate(packed.byteSize(), 64).copyFrom(packed);
  }
}
