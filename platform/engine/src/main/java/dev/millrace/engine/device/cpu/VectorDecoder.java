package dev.millrace.engine.device.cpu;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.B2I;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_S2I;

import dev.millrace.engine.device.Bfloat16;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Numbers of two bytes and more, or of one, as F32: to the last bit what {@code
 * docs/device-formats.md} says they are. Source offsets count bytes; {@code count} numbers are
 * written from {@code to} on.
 */
final class VectorDecoder {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final int STEP = Lanes.STEP;
  private static final VectorSpecies<Float> FLOATS = Lanes.SPECIES;
  static final VectorSpecies<Integer> INTS = FLOATS.withLanes(int.class);
  private static final VectorSpecies<Short> SHORTS =
      STEP == 16
          ? ShortVector.SPECIES_256
          : STEP == 8 ? ShortVector.SPECIES_128 : ShortVector.SPECIES_64;

  /** The narrowest there is; with 4 lanes, half of it is read in vain. */
  static final VectorSpecies<Byte> BYTES =
      STEP == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;

  private VectorDecoder() {}

  /**
   * Reads one number as Java does. A page of a mapped file that cannot be read is an error to a
   * compiled method that does so anywhere, and the end of the JVM to one that only loads vectors.
   */
  static void touch(MemorySegment from, long at, int count) {
    if (count > 0) {
      var _ = from.get(ValueLayout.JAVA_BYTE, at);
    }
  }

  static void f32(MemorySegment from, long at, float[] out, int to, int count) {
    touch(from, at, count);
    int i = 0;
    for (; i + STEP <= count; i += STEP) {
      FloatVector.fromMemorySegment(FLOATS, from, at + 4L * i, LITTLE_ENDIAN)
          .intoArray(out, to + i);
    }
    for (; i < count; i++) {
      out[to + i] = from.get(FLOAT, at + 4L * i);
    }
  }

  static void bf16(MemorySegment from, long at, float[] out, int to, int count) {
    touch(from, at, count);
    int i = 0;
    for (; i + STEP <= count; i += STEP) {
      var words = ShortVector.fromMemorySegment(SHORTS, from, at + 2L * i, LITTLE_ENDIAN);
      var wide = (IntVector) words.convertShape(ZERO_EXTEND_S2I, INTS, 0);
      wide.lanewise(LSHL, 16).reinterpretAsFloats().intoArray(out, to + i);
    }
    for (; i < count; i++) {
      out[to + i] = Bfloat16.toFloat(from.get(SHORT, at + 2L * i));
    }
  }

  static void f16(MemorySegment from, long at, float[] out, int to, int count) {
    touch(from, at, count);
    int i = 0;
    for (; i + STEP <= count; i += STEP) {
      var words = ShortVector.fromMemorySegment(SHORTS, from, at + 2L * i, LITTLE_ENDIAN);
      var wide = (IntVector) words.convertShape(ZERO_EXTEND_S2I, INTS, 0);
      var size = wide.and(0x7FFF);
      var bits = size.lanewise(LSHL, 13);
      // exponent and mantissa in place, scaled by the difference of the biases
      var finite = bits.reinterpretAsFloats().mul(0x1p112f).reinterpretAsInts();
      var endless = size.compare(GE, 0x7C00);
      finite
          .blend(bits.or(0x7F800000), endless)
          .or(wide.and(0x8000).lanewise(LSHL, 16))
          .reinterpretAsFloats()
          .intoArray(out, to + i);
    }
    for (; i < count; i++) {
      out[to + i] = Float.float16ToFloat(from.get(SHORT, at + 2L * i));
    }
  }

  /**
   * A row of INT8 without zeros.
   *
   * @param scales of the row
   * @param shift column {@code c} has scale {@code c >>> shift}
   */
  static void int8(
      MemorySegment from, long at, float[] scales, int shift, float[] out, int to, int count) {
    touch(from, at, count);
    int i = 0;
    long end = from.byteSize() - BYTES.length(); // of four lanes, more is read than is used
    for (; i + STEP <= count && at + i <= end; i += STEP) {
      var codes = ByteVector.fromMemorySegment(BYTES, from, at + i, LITTLE_ENDIAN);
      var numbers = (FloatVector) codes.convertShape(B2I, INTS, 0).convertShape(I2F, FLOATS, 0);
      numbers.mul(scales[i >>> shift]).intoArray(out, to + i);
    }
    for (; i < count; i++) {
      out[to + i] = from.get(ValueLayout.JAVA_BYTE, at + i) * scales[i >>> shift];
    }
  }

  /** A row of INT8 with zeros, which are behind the scales, from index {@code zeros} on. */
  static void int8(
      MemorySegment from,
      long at,
      float[] scales,
      int zeros,
      int shift,
      float[] out,
      int to,
      int count) {
    touch(from, at, count);
    int i = 0;
    long end = from.byteSize() - BYTES.length();
    for (; i + STEP <= count && at + i <= end; i += STEP) {
      var codes = ByteVector.fromMemorySegment(BYTES, from, at + i, LITTLE_ENDIAN);
      var numbers = (FloatVector) codes.convertShape(B2I, INTS, 0).convertShape(I2F, FLOATS, 0);
      int group = i >>> shift;
      numbers.mul(scales[group]).sub(scales[zeros + group]).intoArray(out, to + i);
    }
    for (; i < count; i++) {
      int group = i >>> shift;
      float scaled = from.get(ValueLayout.JAVA_BYTE, at + i) * scales[group];
      out[to + i] = scaled - scales[zeros + group];
    }
  }

  /**
   * A row of FP8.
   *
   * @param scales of the row
   * @param width columns that share a scale, a multiple of 16; 0: all
   */
  static void fp8(
      MemorySegment from, long at, float[] scales, int width, float[] out, int to, int count) {
    int step = width == 0 ? count : width;
    for (int first = 0; first < count; first += step) {
      fp8(from, at + first, scales[first / step], out, to + first, Math.min(step, count - first));
    }
  }

  private static void fp8(
      MemorySegment from, long at, float scale, float[] out, int to, int count) {
    touch(from, at, count);
    int i = 0;
    long end = from.byteSize() - BYTES.length();
    for (; i + STEP <= count && at + i <= end; i += STEP) {
      var bytes = ByteVector.fromMemorySegment(BYTES, from, at + i, LITTLE_ENDIAN);
      var codes = (IntVector) bytes.convertShape(ZERO_EXTEND_B2I, INTS, 0);
      // exponent and mantissa in F32's places, 2^120 times too small
      var bits = codes.and(0x80).lanewise(LSHL, 24).or(codes.and(0x7F).lanewise(LSHL, 20));
      bits.reinterpretAsFloats().mul(0x1p120f).mul(scale).intoArray(out, to + i);
    }
    for (; i < count; i++) {
      int code = from.get(ValueLayout.JAVA_BYTE, at + i);
      float number = Float.intBitsToFloat((code & 0x80) << 24 | (code & 0x7F) << 20) * 0x1p120f;
      out[to + i] = number * scale;
    }
  }
}
