package dev.millrace.testkit;

import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A quantizer that makes INT8, row by row or in groups; to be broken by subclasses. */
class RowBytes extends PlainMatrices {
  private final int group;

  RowBytes(int group) {
    this.group = group;
  }

  @Override
  public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
    var floats = super.read(matrix, checkpoint);
    int rows = floats.rows();
    int cols = floats.cols();
    int length = group == 0 ? cols : group;
    int groups = Math.ceilDiv(cols, length);
    int scales = Math.ceilDiv(rows * cols, 64) * 64;
    var bytes = ByteBuffer.allocate(scales + 4 * rows * groups).order(ByteOrder.LITTLE_ENDIAN);
    float[] weights = new float[cols];
    for (int row = 0; row < rows; row++) {
      floats.decodeRow(row, weights);
      for (int g = 0; g < groups; g++) {
        int end = Math.min(cols, (g + 1) * length);
        float scale = scale(weights, g * length, end);
        bytes.putFloat(scales + 4 * (row * groups + g), scale);
        for (int col = g * length; col < end; col++) {
          bytes.put(row * cols + col, (byte) Math.round(scale == 0 ? 0 : weights[col] / scale));
        }
      }
    }
    return matrix(rows, cols, new DeviceFormat.Int8(group), bytes.array());
  }

  QuantizedMatrix matrix(int rows, int cols, DeviceFormat format, byte[] bytes) {
    return new Matrix(rows, cols, format, MemorySegment.ofArray(bytes));
  }

  float scale(float[] weights, int from, int to) {
    float largest = 0;
    for (int i = from; i < to; i++) {
      largest = Math.max(largest, Math.abs(weights[i]));
    }
    return largest / 127;
  }
}
