package dev.millrace.engine.load;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * {@code --dtype}: the type that weights stored as plain floating-point numbers are kept in.
 * Quantized matrices are not touched.
 */
public enum DtypeChoice {
  /** Each tensor keeps the type it is stored in. */
  AUTO(null),
  FLOAT32(FloatCodec.F32),
  BFLOAT16(FloatCodec.BF16),
  FLOAT16(FloatCodec.F16);

  private final @Nullable FloatCodec codec;

  DtypeChoice(@Nullable FloatCodec codec) {
    this.codec = codec;
  }

  /**
   * The choice of this name: auto, float32, bfloat16 or float16.
   *
   * @throws InferenceException {@code INVALID_CONFIGURATION} if there is none
   */
  public static DtypeChoice of(String name) {
    for (DtypeChoice choice : values()) {
      if (choice.toString().equals(name)) {
        return choice;
      }
    }
    throw new InferenceException(
        ErrorCode.INVALID_CONFIGURATION,
        "dtype " + name + " is unknown; known: " + Arrays.toString(values()));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The matrix itself where its type agrees, else a copy in the model's memory. */
  QuantizedMatrix convert(String name, QuantizedMatrix matrix, WeightSource memory) {
    FloatCodec stored = FloatCodec.of(matrix.format());
    if (codec == null || stored == null || stored == codec) {
      return matrix;
    }
    int cols = matrix.cols();
    long elements = Math.multiplyFull(matrix.rows(), cols);
    MemorySegment copy = memory.allocate(name + " as " + this, elements * codec.bytes());
    float[] values = new float[cols];
    for (int row = 0; row < matrix.rows(); row++) {
      matrix.decodeRow(row, values);
      checkRange(name, values);
      codec.encode(values, cols, copy, Math.multiplyFull(row, cols));
    }
    return new FloatTable(matrix.rows(), cols, codec, copy);
  }

  /** Rounds a vector's numbers in place. */
  void round(String name, float[] values) {
    if (codec == null) {
      return;
    }
    checkRange(name, values);
    for (int i = 0; i < values.length; i++) {
      values[i] = codec.round(values[i]);
    }
  }

  private void checkRange(String name, float[] values) {
    if (codec == null || codec == FloatCodec.F32) {
      return;
    }
    for (float value : values) {
      if (Float.isFinite(value) && Float.isInfinite(codec.round(value))) {
        throw new InferenceException(
            ErrorCode.INVALID_CONFIGURATION,
            "dtype %s cannot hold %s of %s; use auto or float32".formatted(this, value, name));
      }
    }
  }
}
