package dev.millrace.engine.quantize;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.util.stream.IntStream;

/**
 * A matrix that is to be quantized.
 *
 * @param module its name, without {@code .weight}
 * @param matrix of plain numbers, as the model multiplies with it
 */
record Weight(String module, QuantizedMatrix matrix) {
  int rows() {
    return matrix.rows();
  }

  int cols() {
    return matrix.cols();
  }

  /**
   * All rows as F32.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} if one is not finite
   */
  float[][] values() {
    float[][] values = new float[rows()][cols()];
    IntStream.range(0, rows())
        .parallel()
        .forEach(row -> {
          matrix.decodeRow(row, values[row]);
          for (float value : values[row]) {
            if (!Float.isFinite(value)) {
              throw new InferenceException(
                  ErrorCode.INVALID_CHECKPOINT,
                  "%s.weight has %s in row %d".formatted(module, value, row));
            }
          }
        });
    return values;
  }
}
