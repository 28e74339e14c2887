package dev.millrace.testkit.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.KvDtype;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AppendKernelTest {
  private static final float FACTOR = 1.1f;

  private final RandomGenerator random = new SplittableRandom(13);

  /** Heads, KV heads, numbers of a head, rotated pairs, interleaved or not, tokens of a block. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 4, 2, 0, 1, FLOAT32, FLOAT32",
    "4, 2, 6, 2, 0, 3, FLOAT32, BFLOAT16",
    "4, 4, 32, 16, 1, 16, FLOAT32, FLOAT16",
    "3, 1, 80, 20, 1, 7, FLOAT32, FP8_E4M3",
    "8, 2, 128, 64, 0, 16, BFLOAT16, BFLOAT16",
    "7, 1, 64, 0, 0, 16, BFLOAT16, FLOAT32",
    "2, 1, 128, 64, 1, 32, BFLOAT16, FP8_E4M3",
    "2, 2, 36, 9, 0, 4, BFLOAT16, FLOAT16",
    "1, 1, 256, 70, 0, 4, FLOAT32, FLOAT32",
  })
  void rotatesAndAppends(
      int heads,
      int kvHeads,
      int dim,
      int pairs,
      int interleaved,
      int block,
      KvDtype type,
      KvDtype cacheType) {
    var step = new RaggedStep(new int[] {2, 260, 33}, new int[] {2, 3, 1});
    var cache = new PagedCache(cacheType, kvHeads, dim, block, step.lengths());
    var q = DeviceRows.empty(type, step.count(), heads * dim).random(random);
    var k = DeviceRows.empty(type, step.count(), kvHeads * dim).random(random);
    var v = DeviceRows.empty(type, step.count(), kvHeads * dim).random(random);
    var queries = DeviceRows.dense(type, step.count(), heads * dim);
    float[] frequencies = new float[pairs];
    for (int i = 0; i < pairs; i++) {
      frequencies[i] = (float) Math.pow(10000, -(double) i / pairs);
    }
    Kernels.launch(
        "append_" + CacheTypes.suffix(type) + "_" + CacheTypes.suffix(cacheType),
        Grid.of(step.count(), Math.ceilDiv(heads + kvHeads, 4)),
        q.address(),
        q.stride(),
        k.address(),
        k.stride(),
        v.address(),
        v.stride(),
        queries.address(),
        heads,
        kvHeads,
        dim,
        DeviceArrays.of(frequencies),
        pairs,
        FACTOR,
        interleaved,
        cache.keys(),
        cache.values(),
        cache.blockStride(),
        block,
        cache.tables(),
        cache.tableStride,
        step.positionsOnDevice(),
        step.sequencesOnDevice());
    queries.requireGuards();
    var rope = new Rope(frequencies, interleaved == 1);
    for (int row = 0; row < step.count() - 1; row++) {
      int position = step.positions()[row];
      int sequence = step.sequences()[row];
      compare(type, rope.rotated(q.row(row), dim, position), queries.row(row));
      double[] keys = rope.rotated(k.row(row), dim, position);
      for (int head = 0; head < kvHeads; head++) {
        int from = head * dim;
        compare(
            cacheType,
            Arrays.copyOfRange(keys, from, from + dim),
            cache.key(sequence, head, position));
        compare(
            cacheType,
            Arrays.copyOfRange(v.row(row), from, from + dim),
            cache.value(sequence, head, position));
      }
    }
  }

  private record Rope(float[] frequencies, boolean interleaved) {
    double[] rotated(double[] row, int dim, int position) {
      double[] out = row.clone();
      int pairs = frequencies.length;
      for (int head = 0; head < row.length; head += dim) {
        for (int i = 0; i < pairs; i++) {
          double angle = position * frequencies[i];
          int a = head + (interleaved ? 2 * i : i);
          int b = interleaved ? a + 1 : a + pairs;
          out[a] = FACTOR * (row[a] * Math.cos(angle) - row[b] * Math.sin(angle));
          out[b] = FACTOR * (row[b] * Math.cos(angle) + row[a] * Math.sin(angle));
        }
      }
      return out;
    }
  }

  /** Half a step of the type's mantissa, relative to a number of about its size. */
  private static void compare(KvDtype type, double[] expected, double[] is) {
    double step =
        switch (type) {
          case FLOAT32 -> 4e-7;
          case BFLOAT16 -> 0x1p-8 * 1.01;
          case FLOAT16 -> 0x1p-11 * 1.01;
          case FP8_E4M3 -> 0x1p-4 * 1.01;
          case INT8 -> throw new AssertionError("has no kernel");
        };
    double floor = type == KvDtype.FLOAT32 ? 0.5 : 0.05;
    for (int i = 0; i < expected.length; i++) {
      assertEquals(
          expected[i], is[i], step * Math.max(floor, Math.abs(expected[i])), "number " + i);
    }
  }
}
