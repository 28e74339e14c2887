package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/**
 * The inner product of the reference: F32 in, four F64 sums over every fourth element, added in one
 * order. The order depends on the length alone.
 */
final class Dot {
  private Dot() {}

  static double of(float[] a, MemorySegment b, long start, int length) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = 0;
    for (; i + 3 < length; i += 4) {
      s0 += (double) a[i] * b.getAtIndex(JAVA_FLOAT, start + i);
      s1 += (double) a[i + 1] * b.getAtIndex(JAVA_FLOAT, start + i + 1);
      s2 += (double) a[i + 2] * b.getAtIndex(JAVA_FLOAT, start + i + 2);
      s3 += (double) a[i + 3] * b.getAtIndex(JAVA_FLOAT, start + i + 3);
    }
    for (; i < length; i++) {
      s0 += (double) a[i] * b.getAtIndex(JAVA_FLOAT, start + i);
    }
    return (s0 + s1) + (s2 + s3);
  }
}
