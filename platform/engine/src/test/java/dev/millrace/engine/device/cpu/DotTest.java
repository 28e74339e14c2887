package dev.millrace.engine.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DotTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 127, 257, 4096})
  void agreesWithThePlainSum(int length) {
    float[] a = random(length, 1);
    float[] b = random(length, 2);
    double sum = 0;
    double size = 0;
    for (int i = 0; i < length; i++) {
      sum += (double) a[i] * b[i];
      size += Math.abs((double) a[i] * b[i]);
    }
    assertEquals(sum, Dot.of(a, memory(b, 0), 0, length), size * length * Math.ulp(1.0));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 6, 32, 33, 257})
  void isTheSameBitsWhereverTheNumbersLie(int length) {
    float[] a = random(length, 3);
    float[] b = random(length, 4);
    double here = Dot.of(a, memory(b, 0), 0, length);
    for (int start = 1; start < 9; start++) {
      assertEquals(here, Dot.of(a, memory(b, start), start, length));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 6, 32, 33, 257})
  void readsNoFurtherThanTheLength(int length) {
    float[] a = random(length + 5, 5);
    float[] b = random(length, 6);
    float[] poisoned = new float[length + 5];
    Arrays.fill(poisoned, Float.NaN);
    System.arraycopy(b, 0, poisoned, 0, length);
    assertEquals(Dot.of(a, memory(b, 0), 0, length), Dot.of(a, memory(poisoned, 0), 0, length));
  }

  /** The numbers from the given element on, NaN around them. */
  private static MemorySegment memory(float[] values, int start) {
    float[] all = new float[start + values.length + 3];
    Arrays.fill(all, Float.NaN);
    System.arraycopy(values, 0, all, start, values.length);
    return MemorySegment.ofArray(all);
  }

  private static float[] random(int length, long seed) {
    var random = new Random(seed);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
