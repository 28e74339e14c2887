package dev.millrace.testkit.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.KvDtype;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Numbers at the edges of a type, on their way through the cache. */
class NumbersKernelTest {
  private static final int SIZES = 127; // those of the finite numbers of E4M3

  /** Each number of eight bits, the middles between neighbours, and what lies just beside. */
  @Test
  void aNumberBecomesTheNearestOfEightBits() {
    double[] sizes = sizes();
    float[] numbers = new float[8 * SIZES + 6];
    int count = 0;
    for (int i = 0; i < SIZES; i++) {
      float middle = (float) ((sizes[i] + sizes[Math.min(i + 1, SIZES - 1)]) / 2);
      float[] around = {(float) sizes[i], middle, Math.nextUp(middle), Math.nextDown(middle)};
      for (float number : around) {
        numbers[count++] = number;
        numbers[count++] = -number;
      }
    }
    float[] others = {Float.NaN, Float.POSITIVE_INFINITY, -1e30f, 463, 465, Float.MIN_VALUE};
    System.arraycopy(others, 0, numbers, count, others.length);
    double[] stored = stored(numbers);
    for (int i = 0; i < numbers.length; i++) {
      assertEquals(nearest(numbers[i], sizes), stored[i], "of " + numbers[i]);
    }
  }

  private static double[] stored(float[] numbers) {
    int width = numbers.length;
    var cache = new PagedCache(KvDtype.FP8_E4M3, 1, width, 1, 1);
    var in = DeviceRows.empty(KvDtype.FLOAT32, 1, width);
    in.fill(0, i -> numbers[i]);
    var queries = DeviceRows.dense(KvDtype.FLOAT32, 1, width);
    Kernels.launch(
        "append_f32_fp8",
        Grid.of(1),
        in.address(),
        in.stride(),
        in.address(),
        in.stride(),
        in.address(),
        in.stride(),
        queries.address(),
        1,
        1,
        width,
        MemorySegment.NULL,
        0,
        1f,
        0,
        cache.keys(),
        cache.values(),
        cache.blockStride(),
        cache.blockSize,
        cache.tables(),
        cache.tableStride,
        DeviceArrays.of(0),
        DeviceArrays.of(0));
    return cache.value(0, 0, 0);
  }

  /** The finite numbers from 0 upwards, in the order of their codes. */
  private static double[] sizes() {
    double[] sizes = new double[SIZES];
    for (int code = 0; code < SIZES; code++) {
      int exponent = code >> 3;
      double fraction = code & 7;
      sizes[code] = exponent == 0 ? fraction / 512 : Math.scalb(1 + fraction / 8, exponent - 7);
    }
    return sizes;
  }

  private static double nearest(float number, double[] sizes) {
    if (Float.isNaN(number)) {
      return Double.NaN;
    }
    double size = Math.min(Math.abs((double) number), sizes[SIZES - 1]);
    int best = 0;
    for (int code = 1; code < SIZES; code++) {
      double farther = Math.abs(sizes[code] - size) - Math.abs(sizes[best] - size);
      if (farther < 0 || (farther == 0 && code % 2 == 0)) {
        best = code;
      }
    }
    return Math.copySign(sizes[best], number);
  }
}
