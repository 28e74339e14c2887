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

/**
 * Rows of codes of four bits as F32, to the last bit what {@code docs/device-formats.md} says they
 * are. Source offsets count bytes; numbers are written from {@code to} on, up to the end of the
 * last run of 32. Column {@code c} has scale {@code c >>> shift}.
 */
final class VectorNibbles {
  private static final int STEP = Lanes.STEP;

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
        var codes = codes(from, at + run / 2 + i);
        var low = (FloatVector) codes.and(15).convertShape(I2F, Lanes.SPECIES, 0);
        low.sub(8).mul(lower).intoArray(out, to + run + i);
        var high = (FloatVector) codes.lanewise(LSHR, 4).convertShape(I2F, Lanes.SPECIES, 0);
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
        var codes = codes(from, at + run / 2 + i);
        var low = (FloatVector) codes.and(15).convertShape(I2F, Lanes.SPECIES, 0);
        low.mul(scales[lower]).sub(scales[zeros + lower]).intoArray(out, to + run + i);
        var high = (FloatVector) codes.lanewise(LSHR, 4).convertShape(I2F, Lanes.SPECIES, 0);
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
    for (int run = 0; run < count; run += 32) {
      float lower = scales[run >>> shift];
      float upper = scales[Math.min(lastGroup, (run + 16) >>> shift)];
      for (int i = 0; i < 16; i += STEP) {
        var codes = codes(from, at + run / 2 + i);
        named(codes.and(15), from, table).mul(lower).intoArray(out, to + run + i);
        named(codes.lanewise(LSHR, 4), from, table).mul(upper).intoArray(out, to + run + 16 + i);
      }
    }
  }

  private static IntVector codes(MemorySegment from, long at) {
    var bytes = ByteVector.fromMemorySegment(VectorDecoder.BYTES, from, at, LITTLE_ENDIAN);
    return (IntVector) bytes.convertShape(ZERO_EXTEND_B2I, VectorDecoder.INTS, 0);
  }

  /** The numbers that codes name, in as many vectors as a table of 16 takes. */
  private static FloatVector named(IntVector codes, MemorySegment from, long table) {
    var first = part(from, table, 0);
    if (STEP == 16) {
      return codes.selectFrom(first).reinterpretAsFloats();
    }
    var eight = codes.and(2 * STEP - 1).selectFrom(first, part(from, table, 1));
    if (STEP == 8) {
      return eight.reinterpretAsFloats();
    }
    var others = codes.and(7).selectFrom(part(from, table, 2), part(from, table, 3));
    return eight.blend(others, codes.compare(GE, 8)).reinterpretAsFloats();
  }

  private static IntVector part(MemorySegment from, long table, int part) {
    long at = table + 4L * STEP * part;
    return IntVector.fromMemorySegment(VectorDecoder.INTS, from, at, LITTLE_ENDIAN);
  }
}
