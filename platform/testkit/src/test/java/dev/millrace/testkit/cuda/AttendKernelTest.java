package dev.millrace.testkit.cuda;

import dev.millrace.engine.device.KvDtype;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AttendKernelTest {
  private final RandomGenerator random = new SplittableRandom(11);

  /** Heads, KV heads, numbers of a head, tokens of a block, window, cap, type of the cache. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 5, 1, 0, 0, FLOAT32",
    "2, 1, 6, 3, 0, 0, FLOAT32",
    "4, 2, 64, 16, 0, 0, FLOAT32",
    "6, 2, 32, 16, 130, 0, FLOAT32",
    "2, 2, 132, 5, 7, 2, FLOAT32",
    "4, 1, 64, 16, 0, 1.5, BFLOAT16",
    "2, 1, 80, 7, 0, 0, FLOAT16",
    "8, 1, 128, 16, 200, 0, FP8_E4M3",
  })
  void raggedStepsAttend(
      int heads, int kvHeads, int dim, int block, int window, float cap, KvDtype cacheType) {
    var step = new RaggedStep(new int[] {1, 259, 130, 40, 128}, new int[] {1, 2, 1, 3, 1});
    var cache = step.cache(cacheType, kvHeads, dim, block, random);
    var shape = new RaggedStep.Shape(heads, (float) (1 / Math.sqrt(dim)), window, cap);
    attends("f32", KvDtype.FLOAT32, step, step.count(), cache, shape, 1.2e-6);
    // without the row of padding, behind which nothing lies that may be read
    attends("bf16", KvDtype.BFLOAT16, step, step.count() - 1, cache, shape, 4e-3);
  }

  private void attends(
      String suffix,
      KvDtype type,
      RaggedStep step,
      int rows,
      PagedCache cache,
      RaggedStep.Shape shape,
      double tolerance) {
    int width = shape.heads() * cache.headDim;
    var queries = DeviceRows.dense(type, rows, width).random(random);
    var out = DeviceRows.empty(type, rows, width);
    Kernels.launch(
        "attend_" + suffix + "_" + CacheTypes.suffix(cache.type),
        Grid.of(shape.heads(), rows).threads(128).shared(4L * (2 * cache.headDim + 128)),
        queries.address(),
        shape.heads(),
        cache.kvHeads,
        cache.headDim,
        shape.scale(),
        shape.window(),
        shape.softCap(),
        cache.keys(),
        cache.values(),
        cache.blockStride(),
        cache.blockSize,
        cache.tables(),
        cache.tableStride,
        step.positionsOnDevice(),
        step.sequencesOnDevice(),
        out.address(),
        out.stride());
    out.check(tolerance, Arrays.copyOf(step.attended(queries, cache, shape), rows));
  }
}
