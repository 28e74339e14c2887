package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** A matrix of plain floating-point numbers, read where the checkpoint has it. */
record FloatMatrix(String tensor, int rows, int cols, DeviceFormat format, MemorySegment packed)
    implements QuantizedMatrix {
  private static final ValueLayout.OfShort SHORTS =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOATS =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Whether the matrix is a tensor {@code matrix.weight} that {@link #of} can read. */
  static boolean stored(String matrix, Checkpoint checkpoint) {
    String name = matrix + ".weight";
    if (!checkpoint.has(name)) {
      return false;
    }
    CheckpointTensor tensor = checkpoint.tensor(name);
    return tensor.shape().size() == 2
        && switch (tensor.dtype()) {
          case F32, BF16, F16 -> true;
          case F64, F8_E4M3, F8_E5M2, F8_E8M0, I64, I32, I16, I8, U64, U32, U16, U8, BOOL -> false;
        };
  }

  static FloatMatrix of(String matrix, Checkpoint checkpoint) {
    CheckpointTensor tensor = checkpoint.tensor(matrix + ".weight");
    if (tensor.shape().size() != 2) {
      throw new InferenceException(
          ErrorCode.BAD_SHAPE, tensor.name() + " is " + tensor.shape() + ", not a matrix");
    }
    long bytes = tensor.elements() * tensor.dtype().bytes();
    if (tensor.bytes().byteSize() != bytes) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          "%s of %s %s has %d bytes instead of %d"
              .formatted(
                  tensor.name(), tensor.dtype(), tensor.shape(), tensor.bytes().byteSize(), bytes));
    }
    return new FloatMatrix(
        tensor.name(), size(tensor, 0), size(tensor, 1), format(tensor), tensor.bytes());
  }

  private static int size(CheckpointTensor tensor, int dimension) {
    long size = tensor.shape().get(dimension);
    if (size > Integer.MAX_VALUE) {
      throw new InferenceException(
          ErrorCode.BAD_SHAPE,
          tensor.name() + " is " + tensor.shape() + "; a side may be at most 2147483647");
    }
    return (int) size;
  }

  private static DeviceFormat format(CheckpointTensor tensor) {
    DType type = tensor.dtype();
    return switch (type) {
      case F32 -> new DeviceFormat.F32();
      case BF16 -> new DeviceFormat.Bf16();
      case F16 -> new DeviceFormat.F16();
      case F64, F8_E4M3, F8_E5M2, F8_E8M0, I64, I32, I16, I8, U64, U32, U16, U8, BOOL ->
          throw new InferenceException(
              ErrorCode.UNSUPPORTED_QUANTIZATION,
              tensor.name() + " is stored as " + type + "; known here: F32, BF16, F16");
    };
  }

  @Override
  public void decodeRow(int row, float[] out) {
    reader().read(row, out);
  }

  /** Reads rows, for one thread. */
  Packing.NumberRows reader() {
    short[] halves = new short[format instanceof DeviceFormat.F32 ? 0 : cols];
    return (row, out) -> decode(row, halves, out);
  }

  private void decode(int row, short[] halves, float[] out) {
    long first = Math.multiplyFull(row, cols);
    MemorySegment.copy(packed, SHORTS, first * Short.BYTES, halves, 0, halves.length);
    switch (format) {
      case DeviceFormat.F32 _ ->
          MemorySegment.copy(packed, FLOATS, first * Float.BYTES, out, 0, cols);
      case DeviceFormat.Bf16 _ -> {
        for (int i = 0; i < halves.length; i++) {
          out[i] = Float.intBitsToFloat(halves[i] << 16);
        }
      }
      case DeviceFormat.F16 _ -> {
        for (int i = 0; i < halves.length; i++) {
          out[i] = Float.float16ToFloat(halves[i]);
        }
      }
      case DeviceFormat.Int8 _,
          DeviceFormat.Int4 _,
          DeviceFormat.Code4 _,
          DeviceFormat.Fp8 _,
          DeviceFormat.Own _ ->
          throw new AssertionError("a float matrix in " + format);
    }
  }
}
