package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * A matrix of signed bytes with a scale per row, as {@code docs/device-formats.md} lays it out.
 *
 * <p>The bytes lie in a Java array: a matrix has no {@code close}, so off-heap memory would have no
 * owner, while an array lives exactly as long as somebody holds the matrix; a device that wants the
 * bytes elsewhere copies them once and lets the array go. The price is heap at load and an array's
 * limit of 2 GiB, four times the largest matrix of an 8B model.
 */
record Int8Matrix(int rows, int cols, byte[] array) implements QuantizedMatrix {
  private static final ValueLayout.OfFloat SCALES =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int ALIGNMENT = 64;
  private static final int LARGEST = 127;

  static Int8Matrix quantize(FloatMatrix source) {
    Int8Matrix matrix = new Int8Matrix(source.rows(), source.cols(), allocate(source));
    MemorySegment target = MemorySegment.ofArray(matrix.array);
    float[] weights = new float[source.cols()];
    for (int row = 0; row < source.rows(); row++) {
      source.decodeRow(row, weights);
      float scale = scale(largest(weights, row, source.tensor()));
      target.set(SCALES, matrix.scaleOffset(row), scale);
      quantize(weights, scale, matrix.array, row * source.cols());
    }
    return matrix;
  }

  private static byte[] allocate(FloatMatrix source) {
    long length =
        scales(source.rows(), source.cols()) + Math.multiplyFull(source.rows(), Float.BYTES);
    if (length > Integer.MAX_VALUE - 8) {
      throw new InferenceException(
          ErrorCode.UNSUPPORTED_QUANTIZATION,
          "%s [%d, %d] needs %d bytes in int8, which can hold 2 GiB; use --quantization none"
              .formatted(source.tensor(), source.rows(), source.cols(), length));
    }
    return new byte[(int) length];
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

  private static void quantize(float[] weights, float scale, byte[] target, int at) {
    if (scale == 0) {
      return;
    }
    for (int i = 0; i < weights.length; i++) {
      target[at + i] = (byte) Math.rint(weights[i] / (double) scale);
    }
  }

  @Override
  public DeviceFormat format() {
    return new DeviceFormat.Int8(0);
  }

  @Override
  public MemorySegment packed() {
    return MemorySegment.ofArray(array).asReadOnly();
  }

  @Override
  public void decodeRow(int row, float[] out) {
    float scale = packed().get(SCALES, scaleOffset(row));
    int at = row * cols;
    for (int i = 0; i < cols; i++) {
      out[i] = array[at + i] * scale;
    }
  }

  private long scaleOffset(int row) {
    return scales(rows, cols) + Math.multiplyFull(row, Float.BYTES);
  }

  private static long scales(int rows, int cols) {
    return Math.ceilDiv(Math.multiplyFull(rows, cols), ALIGNMENT) * ALIGNMENT;
  }
}
