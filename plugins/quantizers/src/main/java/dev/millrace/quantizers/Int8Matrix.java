package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A matrix of signed bytes with a scale per row, as {@code docs/device-formats.md} lays it out.
 *
 * @param packed memory of the checkpoint's, which lives as long as the model
 */
record Int8Matrix(int rows, int cols, MemorySegment packed) implements QuantizedMatrix {
  private static final ValueLayout.OfFloat SCALES =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int ALIGNMENT = 64;
  private static final int LARGEST = 127;

  static Int8Matrix quantize(FloatMatrix source, Checkpoint checkpoint) {
    int rows = source.rows();
    int cols = source.cols();
    long length = scales(rows, cols) + Math.multiplyFull(rows, Float.BYTES);
    var target = checkpoint.allocate(source.tensor() + " in int8", length);
    float[] weights = new float[cols];
    byte[] quantized = new byte[cols];
    for (int row = 0; row < rows; row++) {
      source.decodeRow(row, weights);
      float scale = scale(largest(weights, row, source.tensor()));
      quantize(weights, scale, quantized);
      long at = Math.multiplyFull(row, cols);
      MemorySegment.copy(quantized, 0, target, ValueLayout.JAVA_BYTE, at, cols);
      target.set(SCALES, scaleOffset(rows, cols, row), scale);
    }
    return new Int8Matrix(rows, cols, target.asReadOnly());
  }

  private static float largest(float[] weights, int row, String tensor) {
    float largest = 0;
    for (float weight : weights) {
      largest = Math.max(largest, Math.abs(weight));
    }
    // max passes a NaN on, and this comparison catches it
    if (!(largest <= Float.MAX_VALUE)) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          tensor + " has a NaN or infinite weight in row " + row + ", which int8 cannot hold");
    }
    return largest;
  }

  private static float scale(float largest) {
    float scale = largest / LARGEST;
    if (scale * LARGEST > Float.MAX_VALUE) {
      return Math.nextDown(scale);
    }
    // a subnormal scale may have been rounded down by a half: then 127 of it would not reach
    return largest > 0 && scale < Float.MIN_NORMAL ? Math.nextUp(scale) : scale;
  }

  private static void quantize(float[] weights, float scale, byte[] out) {
    for (int i = 0; i < weights.length; i++) {
      out[i] = scale == 0 ? 0 : (byte) Math.rint(weights[i] / (double) scale);
    }
  }

  @Override
  public DeviceFormat format() {
    return new DeviceFormat.Int8(0);
  }

  @Override
  public void decodeRow(int row, float[] out) {
    float scale = packed.get(SCALES, scaleOffset(rows, cols, row));
    long at = Math.multiplyFull(row, cols);
    for (int i = 0; i < cols; i++) {
      out[i] = packed.get(ValueLayout.JAVA_BYTE, at + i) * scale;
    }
  }

  private static long scaleOffset(int rows, int cols, int row) {
    return scales(rows, cols) + Math.multiplyFull(row, Float.BYTES);
  }

  private static long scales(int rows, int cols) {
    return Math.ceilDiv(Math.multiplyFull(rows, cols), ALIGNMENT) * ALIGNMENT;
  }
}
