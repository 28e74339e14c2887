package dev.millrace.testkit;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;

/** Reads unquantized matrices where they lie, in the plainest way: contracts need no plugin jar. */
public class PlainMatrices implements QuantizationPlugin {
  @Override
  public String name() {
    return "plain";
  }

  @Override
  public boolean accepts(String matrix, Checkpoint checkpoint) {
    return checkpoint.has(matrix + ".weight");
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    var tensor = checkpoint.tensor(matrix + ".weight");
    check(tensor);
    int rows = tensor.shape().get(0).intValue();
    int cols = tensor.shape().get(1).intValue();
    return new Matrix(rows, cols, format(tensor.dtype()), tensor.bytes());
  }

  void check(CheckpointTensor tensor) {
    if (tensor.shape().size() != 2) {
      throw new InferenceException(ErrorCode.BAD_SHAPE, tensor.name() + " is no matrix");
    }
    if (tensor.bytes().byteSize() != tensor.elements() * tensor.dtype().bytes()) {
      throw new InferenceException(ErrorCode.INVALID_CHECKPOINT, tensor.name() + " is cut");
    }
  }

  static DeviceFormat format(DType type) {
    return switch (type) {
      case F32 -> new DeviceFormat.F32();
      case BF16 -> new DeviceFormat.Bf16();
      case F16 -> new DeviceFormat.F16();
      case F64, F8_E4M3, F8_E5M2, F8_E8M0, I64, I32, I16, I8, U64, U32, U16, U8, BOOL ->
          throw new InferenceException(ErrorCode.UNSUPPORTED_QUANTIZATION, type + " is unknown");
    };
  }

  /** A matrix that decodes what {@link PackedRows} reads. */
  record Matrix(int rows, int cols, DeviceFormat format, MemorySegment packed, int[] inputOrder)
      implements QuantizedMatrix {
    Matrix(int rows, int cols, DeviceFormat format, MemorySegment packed) {
      this(rows, cols, format, packed, new int[0]);
    }

    @Override
    public void decodeRow(int row, float[] out) {
      var elements = new PackedRows(this);
      for (int col = 0; col < cols; col++) {
        out[col] = elements.element(row, col);
      }
    }
  }
}
