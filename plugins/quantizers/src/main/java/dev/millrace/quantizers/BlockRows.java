package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.ScaleType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Rows of GGUF blocks, on their way into a device format without loss.
 *
 * @param tensor U8 [rows, bytes of a row]
 */
record BlockRows(CheckpointTensor tensor, GgmlBlock type, int rows, int cols)
    implements Packing.Source {
  /** The rows of a tensor, which is checked. */
  static BlockRows of(CheckpointTensor tensor, GgmlBlock type) {
    var shape = tensor.shape();
    if (shape.size() != 2 || tensor.dtype() != DType.U8 || shape.get(1) % type.bytes() != 0) {
      throw new InferenceException(
          ErrorCode.BAD_SHAPE,
          "%s is %s %s, not rows of %s blocks of %d bytes"
              .formatted(tensor.name(), tensor.dtype(), shape, type, type.bytes()));
    }
    long cols = shape.get(1) / type.bytes() * type.columns();
    if (shape.get(0) > Integer.MAX_VALUE
        || shape.get(1) > Integer.MAX_VALUE - 8L
        || cols > Integer.MAX_VALUE) {
      throw new InferenceException(
          ErrorCode.BAD_SHAPE,
          tensor.name() + " is " + shape + " bytes; a side may be at most 2147483639");
    }
    if (tensor.bytes().byteSize() != tensor.elements()) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          "%s of %s has %d bytes instead of %d"
              .formatted(tensor.name(), shape, tensor.bytes().byteSize(), tensor.elements()));
    }
    return new BlockRows(tensor, type, shape.get(0).intValue(), (int) cols);
  }

  /** The matrix, in memory of the checkpoint's. */
  PackedMatrix matrix(String owner, Checkpoint checkpoint) {
    var matrix = PackedMatrix.allocate(owner, rows, cols, format(), new int[0], checkpoint);
    if (matrix.format() instanceof DeviceFormat.Code4) {
      matrix.putTable(type.table());
    }
    Packing.fill(matrix, this);
    return matrix;
  }

  /** Signed bytes of files may be −128, which INT8 has only beside zeros. */
  private DeviceFormat format() {
    return type == GgmlBlock.Q8_0 && hasLowest()
        ? new DeviceFormat.Int8(32, true, ScaleType.F16)
        : type.format();
  }

  private boolean hasLowest() {
    return Packing.anyRow(
        rows,
        () -> {
          byte[] blocks = new byte[rowBytes()];
          return row -> {
            read(row, blocks);
            return hasLowest(blocks);
          };
        });
  }

  private boolean hasLowest(byte[] blocks) {
    for (int at = 0; at < blocks.length; at += type.bytes()) {
      for (int i = at + 2; i < at + type.bytes(); i++) {
        if (blocks[i] == Byte.MIN_VALUE) {
          return true;
        }
      }
    }
    return false;
  }

  private int rowBytes() {
    return tensor.shape().get(1).intValue();
  }

  private void read(int row, byte[] blocks) {
    MemorySegment.copy(
        tensor.bytes(),
        ValueLayout.JAVA_BYTE,
        Math.multiplyFull(row, blocks.length),
        blocks,
        0,
        blocks.length);
  }

  @Override
  public Packing.Rows reader() {
    var block = new BlockReader(type);
    byte[] blocks = new byte[rowBytes()];
    return (row, out) -> {
      read(row, blocks);
      for (int at = 0, n = 0; at < blocks.length; at += type.bytes(), n++) {
        block.read(blocks, at);
        block.copyTo(out, n);
      }
      check(out);
    };
  }

  private void check(float[] numbers) {
    for (float number : numbers) {
      if (!Float.isFinite(number)) {
        throw new InferenceException(
            ErrorCode.INVALID_CHECKPOINT, tensor.name() + " has a scale that is not finite");
      }
    }
  }

  private void check(CodedRow row) {
    check(row.scales());
    check(row.zeros());
    check(row.scaleFactors());
    check(row.zeroFactors());
  }
}
