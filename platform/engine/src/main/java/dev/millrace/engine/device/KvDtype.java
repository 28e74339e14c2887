package dev.millrace.engine.device;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * How keys and values are stored. Values are rounded to the nearest number of the type, ties to
 * even, and used as what they were rounded to; vLLM's names where it has the type.
 */
public enum KvDtype {
  FLOAT32("float32", Float.BYTES),
  BFLOAT16("bfloat16", Short.BYTES),
  FLOAT16("float16", Short.BYTES),
  /** 4 bits of exponent, 3 of mantissa, no infinity; beyond ±448 the largest number stands. */
  FP8_E4M3("fp8_e4m3", Byte.BYTES),
  /**
   * Integers from −127 to 127, times a binary32 scale for the numbers of one head of one token,
   * which lies behind them: a 127th of the largest. Where one of them is not finite, all become
   * NaN.
   */
  INT8("int8", Byte.BYTES);

  private static final float[] E4M3 = new float[256];

  static {
    for (int code = 0; code < 256; code++) {
      int exponent = code >> 3 & 15;
      int mantissa = code & 7;
      float size = exponent == 0 ? mantissa * 0x1p-9f : Math.scalb(1 + mantissa / 8f, exponent - 7);
      E4M3[code] = (code & 127) == 127 ? Float.NaN : code < 128 ? size : -size;
    }
  }

  private final String label;
  private final int bytes;

  KvDtype(String label, int bytes) {
    this.label = label;
    this.bytes = bytes;
  }

  /** The type of this name; {@code fp8} is {@code fp8_e4m3}. */
  public static KvDtype of(String name) {
    String asked = name.equals("fp8") ? FP8_E4M3.label : name;
    for (var dtype : values()) {
      if (dtype.label.equals(asked)) {
        return dtype;
      }
    }
    throw new InferenceException(
        ErrorCode.INVALID_CONFIGURATION,
        "kv-cache-dtype %s is unknown; known: auto, %s"
            .formatted(
                name,
                Arrays.stream(values()).map(KvDtype::label).collect(Collectors.joining(", "))));
  }

  public String label() {
    return label;
  }

  /** Bytes per number, without what several of them share. */
  public int bytes() {
    return bytes;
  }

  /** Bytes of so many numbers of one head and token. */
  public long headBytes(int count) {
    return (long) bytes * count + (this == INT8 ? Float.BYTES : 0);
  }

  /** Reads numbers that lie side by side, of INT8 those of a head; the offset counts bytes. */
  public void decode(MemorySegment source, long offset, float[] out, int count) {
    switch (this) {
      case FLOAT32 ->
          MemorySegment.copy(source, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, out, 0, count);
      case BFLOAT16 -> {
        for (int i = 0; i < count; i++) {
          out[i] = Bfloat16.toFloat(word(source, offset + 2L * i));
        }
      }
      case FLOAT16 -> {
        for (int i = 0; i < count; i++) {
          out[i] = Float.float16ToFloat(word(source, offset + 2L * i));
        }
      }
      case FP8_E4M3 -> {
        for (int i = 0; i < count; i++) {
          out[i] = E4M3[source.get(ValueLayout.JAVA_BYTE, offset + i) & 255];
        }
      }
      case INT8 -> {
        float scale = source.get(ValueLayout.JAVA_FLOAT_UNALIGNED, offset + count);
        for (int i = 0; i < count; i++) {
          out[i] = source.get(ValueLayout.JAVA_BYTE, offset + i) * scale;
        }
      }
    }
  }

  /** Writes numbers side by side, of INT8 those of a head; the offset counts bytes. */
  public void encode(float[] values, int count, MemorySegment target, long offset) {
    switch (this) {
      case FLOAT32 ->
          MemorySegment.copy(values, 0, target, ValueLayout.JAVA_FLOAT_UNALIGNED, offset, count);
      case BFLOAT16 -> {
        for (int i = 0; i < count; i++) {
          put(target, offset + 2L * i, Bfloat16.of(values[i]));
        }
      }
      case FLOAT16 -> {
        for (int i = 0; i < count; i++) {
          put(target, offset + 2L * i, Float.floatToFloat16(values[i]));
        }
      }
      case FP8_E4M3 -> {
        for (int i = 0; i < count; i++) {
          target.set(ValueLayout.JAVA_BYTE, offset + i, e4m3(values[i]));
        }
      }
      case INT8 -> encodeInt8(values, count, target, offset);
    }
  }

  private static void encodeInt8(float[] values, int count, MemorySegment target, long offset) {
    float largest = 0;
    for (int i = 0; i < count; i++) {
      largest = Math.max(largest, Math.abs(values[i]));
    }
    float scale = Float.isFinite(largest) ? largest / 127 : Float.NaN;
    for (int i = 0; i < count; i++) {
      float code = scale == 0 ? 0 : (float) Math.rint(values[i] / scale);
      // the scale of tiny numbers is rounded, too
      target.set(ValueLayout.JAVA_BYTE, offset + i, (byte) Math.clamp(code, -127f, 127f));
    }
    target.set(ValueLayout.JAVA_FLOAT_UNALIGNED, offset + count, scale);
  }

  private static short word(MemorySegment source, long offset) {
    return source.get(ValueLayout.JAVA_SHORT_UNALIGNED, offset);
  }

  private static void put(MemorySegment target, long offset, short word) {
    target.set(ValueLayout.JAVA_SHORT_UNALIGNED, offset, word);
  }

  private static byte e4m3(float value) {
    int sign = Float.floatToRawIntBits(value) >>> 24 & 0x80;
    float size = Math.abs(value);
    if (Float.isNaN(size)) {
      return (byte) (sign | 0x7F);
    }
    if (size >= 448) {
      return (byte) (sign | 0x7E);
    }
    // the distance between neighbours; rint rounds ties to even, and so to an even mantissa
    int exponent = Math.max(-6, Math.getExponent(size));
    int steps = (int) Math.rint(Math.scalb(size, 3 - exponent));
    return (byte) (sign | (((exponent + 6) << 3) + steps));
  }
}
