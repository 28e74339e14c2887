package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.LongFunction;
import java.util.stream.IntStream;

/**
 * Turns rows of GGUF blocks into rows of a device format, without loss.
 *
 * @param tensor U8 [rows, bytes of a row]
 */
record BlockConversion(CheckpointTensor tensor, GgmlBlock type, int rows, int cols) {
  /** What came of a row, the worst last. */
  private enum Outcome {
    DONE,
    /** An INT8 code of −128, which the format does not have. */
    DOES_NOT_FIT,
    NOT_FINITE
  }

  /** The conversion of a tensor, which is checked. */
  static BlockConversion of(CheckpointTensor tensor, GgmlBlock type) {
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
    return new BlockConversion(tensor, type, shape.get(0).intValue(), (int) cols);
  }

  /** The matrix, in memory that {@code allocate} gives. */
  GroupedMatrix convert(LongFunction<MemorySegment> allocate) {
    var matrix = matrix(type.format(), allocate);
    var outcome = fill(matrix);
    if (outcome == Outcome.DOES_NOT_FIT) {
      matrix = matrix(new DeviceFormat.F32(), allocate);
      outcome = fill(matrix);
    }
    if (outcome == Outcome.NOT_FINITE) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT, tensor.name() + " has a scale that is not finite");
    }
    return matrix;
  }

  private GroupedMatrix matrix(DeviceFormat format, LongFunction<MemorySegment> allocate) {
    var memory = allocate.apply(GroupedMatrix.length(rows, cols, format));
    return new GroupedMatrix(rows, cols, format, memory);
  }

  private Outcome fill(GroupedMatrix matrix) {
    return IntStream.range(0, rows)
        .parallel()
        .mapToObj(row -> row(row, matrix))
        .max(Enum::compareTo)
        .orElse(Outcome.DONE);
  }

  private Outcome row(int row, GroupedMatrix matrix) {
    byte[] blocks = new byte[tensor.shape().get(1).intValue()];
    MemorySegment.copy(
        tensor.bytes(),
        ValueLayout.JAVA_BYTE,
        Math.multiplyFull(row, blocks.length),
        blocks,
        0,
        blocks.length);
    var block = new BlockReader(type);
    var target = RowPacker.of(matrix, BlockReader.groupColumns(type));
    for (int at = 0, column = 0; at < blocks.length; at += type.bytes(), column += type.columns()) {
      block.read(blocks, at);
      for (int g = 0; g < block.scales.length; g++) {
        if (!Float.isFinite(block.scales[g]) || !Float.isFinite(block.zeros[g])) {
          return Outcome.NOT_FINITE;
        }
      }
      if (!target.add(block, column)) {
        return Outcome.DOES_NOT_FIT;
      }
    }
    target.finish(row);
    return Outcome.DONE;
  }
}
