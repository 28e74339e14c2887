package dev.millrace.engine.device.cpu;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.GE;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows of codes of four bits as F32, to the last bit what {@code docs/device-formats.md} says they
 * are. Source offsets count bytes; numbers are written from {@code to} on, up to the end of the
 * last run of 32. Column {@code c} has scale {@code c >>> shift}.
 */
final class VectorNibbles {
  private static final int STEP = Lanes.STEP;
  private static final VectorSpecies<Float> FLOATS = Lanes.SPECIES;
  private static final VectorSpecies<Integer> INTS = VectorDecoder.INTS;
  private static final VectorSpecies<Byte> BYTES = VectorDecoder.BYTES;

  private VectorNibbles() {}

  /**
   * A row of INT4 without zeros.
   *
   * @param scales of the row
   * @param shift column {@code c} has scale {@code c >>> shift}
   */
  static void int4(
      MemorySegment from, long at, float[] scales, int shift, float[] out, int to, int count) {
    VectorDecoder.touch(from, at, count);
    int lastGroup = (count - 1) >>> shift;
    for (int run = 0; run < count; run += 32) {
      float lower = scales[run >>> shift];
      // where a row ends in the lower half, the upper one has no scale
      float upper = scales[Math.min(lastGroup, (run + 16) >>> shift)];
      for (int i = 0; i < 16; i += STEP) {
        var bytes = ByteVector.fromMemorySegment(BYTES, from, at + run / 2 + i, LITTLE_ENDIAN);
        var codes = (IntVector) bytes.convertShape(ZERO_EXTEND_B2I, INTS, 0);
        var low = (FloatVector) codes.and(15).convertShape(I2F, FLOATS, 0);
        low.sub(8).mul(lower).intoArray(out, to + run + i);
        var high = (FloatVector) codes.lanewise(LSHR, 4).convertShape(I2F, FLOATS, 0);
        high.sub(8).mul(upper).intoArray(out, to + run + 16 + i);
      }
    }
  }

  /** A row of INT4 with zeros, which are behind the scales, from index {@code zeros} on. */
  static void int4(
      MemorySegment from,
      long at,
      float[] scales,
      int zeros,
      int shift,
      float[] out,
      int to,
      int count) {
    VectorDecoder.touch(from, at, count);
    int lastGroup = (count - 1) >>> shift;
    for (int run = 0; run < count; run += 32) {
      int lower = run >>> shift;
      int upper = Math.min(lastGroup, (run + 16) >>> shift);
      for (int i = 0; i < 16; i += STEP) {
        var bytes = ByteVector.fromMemorySegment(BYTES, from, at + run / 2 + i, LITTLE_ENDIAN);
        var codes = (IntVector) bytes.convertShape(ZERO_EXTEND_B2I, INTS, 0);
        var low = (FloatVector) codes.and(15).convertShape(I2F, FLOATS, 0);
        low.mul(scales[lower]).sub(scales[zeros + lower]).intoArray(out, to + run + i);
        var high = (FloatVector) codes.lanewise(LSHR, 4).convertShape(I2F, FLOATS, 0);
        high.mul(scales[upper]).sub(scales[zeros + upper]).intoArray(out, to + run + 16 + i);
      }
    }
  }

  /**
   * A row of CODE4.
   *
   * @param table where the matrix has its 16 numbers
   * @param scales of the row
   */
  static void code4(
      MemorySegment from,
      long at,
      long table,
      float[] scales,
      int shift,
      float[] out,
      int to,
      int count) {
    VectorDecoder.touch(from, at, count);
    int lastGroup = (count - 1) >>> shift;
    // the 16 numbers, in as many vectors as they take
    var first = IntVector.fromMemorySegment(INTS, from, table, LITTLE_ENDIAN);
    var second =
        STEP < 16
            ? IntVector.fromMemorySegment(INTS, from, table + 4L * STEP, LITTLE_ENDIAN)
            : first;
    var third =
        STEP < 8
            ? IntVector.fromMemorySegment(INTS, from, table + 8L * STEP, LITTLE_ENDIAN)
            : first;
    var fourth =
        STEP < 8
            ? IntVector.fromMemorySegment(INTS, from, table + 12L * STEP, LITTLE_ENDIAN)
            : first;
    for (int begin = 0; begin < count; begin += 16) {
      float scale = scales[Math.min(lastGroup, begin >>> shift)];
      for (int i = 0; i < 16; i += STEP) {
        long byteAt = at + begin / 32 * 16L + i;
        var bytes = ByteVector.fromMemorySegment(BYTES, from, byteAt, LITTLE_ENDIAN);
        var both = (IntVector) bytes.convertShape(ZERO_EXTEND_B2I, INTS, 0);
        var codes = both.lanewise(LSHR, begin % 32 / 4).and(15);
        var named = codes.selectFrom(first);
        if (STEP < 16) {
          named = codes.and(2 * STEP - 1).selectFrom(first, second);
        }
        if (STEP < 8) {
          var others = codes.and(7).selectFrom(third, fourth);
          named = named.blend(others, codes.compare(GE, 8));
        }
        named.reinterpretAsFloats().mul(scale).intoArray(out, to + begin + i);
      }
    }
  }
}
