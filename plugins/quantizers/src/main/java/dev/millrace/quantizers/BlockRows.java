package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

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
    return type == GgmlBlock.Q8_0 && IntStream.range(0, rows).parallel().anyMatch(this::hasLowest)
        ? new DeviceFormat.Int8(32, true)
        : type.format();
  }

  private boolean hasLowest(int row) {
    byte[] blocks = blocks(row);
    for (int at = 0; at < blocks.length; at++) {
      if (blocks[at] == Byte.MIN_VALUE && at % type.bytes() > 1) {
        return true;
      }
    }
    return false;
  }

  private byte[] blocks(int row) {
    byte[] blocks = new byte[tensor.shape().get(1).intValue()];
    MemorySegment.copy(
        tensor.bytes(),
        ValueLayout.JAVA_BYTE,
        Math.multiplyFull(row, blocks.length),
        blocks,
        0,
        blocks.length);
    return blocks;
  }

  @Override
  public Packing.Rows at(int first, int count) {
    var block = new BlockReader(type);
    return (i, out) -> {
      byte[] blocks = blocks(first + i);
      for (int at = 0, n = 0; at < blocks.length; at += type.bytes(), n++) {
        block.read(blocks, at);
        block.copyTo(out, n);
      }
      check(out);
    };
  }

  private void check(CodedRow row) {
    for (int g = 0; g < row.scales().length; g++) {
      if (!Float.isFinite(row.scales()[g]) || !Float.isFinite(row.zeros()[g])) {
        throw new InferenceException(
            ErrorCode.INVALID_CHECKPOINT, tensor.name() + " has a scale that is not finite");
      }
    }
  }
}
