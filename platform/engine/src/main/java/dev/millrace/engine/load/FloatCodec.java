package dev.millrace.engine.load;

import dev.millrace.engine.device.Bfloat16;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/** The plain floating-point encodings: little-endian, widened exactly, rounded to nearest even. */
public enum FloatCodec {
  F32(Float.BYTES),
  BF16(Short.BYTES),
  F16(Short.BYTES);

  private static final ValueLayout.OfShort SHORTS =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOATS =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final int bytes;

  FloatCodec(int bytes) {
    this.bytes = bytes;
  }

  /** The codec of a stored type, or null if it is not plain floating point. */
  public static @Nullable FloatCodec of(DType type) {
    return switch (type) {
      case F32 -> F32;
      case BF16 -> BF16;
      case F16 -> F16;
      case F64, F8_E4M3, F8_E5M2, F8_E8M0, I64, I32, I16, I8, U64, U32, U16, U8, BOOL -> null;
    };
  }

  /** The codec of a device format, or null if it is a quantized one. */
  static @Nullable FloatCodec of(DeviceFormat format) {
    return switch (format) {
      case DeviceFormat.F32 _ -> F32;
      case DeviceFormat.Bf16 _ -> BF16;
      case DeviceFormat.F16 _ -> F16;
      case DeviceFormat.Int8 _,
          DeviceFormat.Int4 _,
          DeviceFormat.Code4 _,
          DeviceFormat.Fp8 _,
          DeviceFormat.Own _ ->
          null;
    };
  }

  DeviceFormat format() {
    return switch (this) {
      case F32 -> new DeviceFormat.F32();
      case BF16 -> new DeviceFormat.Bf16();
      case F16 -> new DeviceFormat.F16();
    };
  }

  /** Bytes per number. */
  public int bytes() {
    return bytes;
  }

  /** The nearest number of this encoding; infinite if it is too large for it. */
  public float round(float value) {
    return switch (this) {
      case F32 -> value;
      case BF16 -> Bfloat16.toFloat(Bfloat16.of(value));
      case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
    };
  }

  /** Reads {@code count} numbers, beginning with number {@code first} of the segment. */
  public void decode(MemorySegment source, long first, float[] out, int count) {
    if (this == F32) {
      MemorySegment.copy(source, FLOATS, first * bytes, out, 0, count);
      return;
    }
    short[] words = new short[count];
    MemorySegment.copy(source, SHORTS, first * bytes, words, 0, count);
    if (this == BF16) {
      for (int i = 0; i < count; i++) {
        out[i] = Bfloat16.toFloat(words[i]);
      }
    } else {
      for (int i = 0; i < count; i++) {
        out[i] = Float.float16ToFloat(words[i]);
      }
    }
  }

  /** Writes {@code count} numbers, rounded, beginning with number {@code first} of the segment. */
  public void encode(float[] values, int count, MemorySegment target, long first) {
    if (this == F32) {
      MemorySegment.copy(values, 0, target, FLOATS, first * bytes, count);
      return;
    }
    short[] words = new short[count];
    for (int i = 0; i < count; i++) {
      words[i] = this == BF16 ? Bfloat16.of(values[i]) : Float.floatToFloat16(values[i]);
    }
    MemorySegment.copy(words, 0, target, SHORTS, first * bytes, count);
  }
}
