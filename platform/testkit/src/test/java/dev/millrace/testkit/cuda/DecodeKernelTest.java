package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.device.KvDtype;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DecodeKernelTest {
  private static final int BLOCKS = 5;

  private final RandomGenerator random = new SplittableRandom(37);

  @AfterEach
  void late() {
    Kernels.copyEarly(false);
  }

  /**
   * Heads, KV heads, numbers of a head, tokens of a block, length of a part, window, cap, early.
   */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 64, 16, 320, 0, 0, false",
    "2, 1, 128, 16, 320, 0, 0, true",
    "3, 1, 64, 1, 64, 0, 2, false",
    "8, 2, 128, 16, 384, 0, 0, false",
    "5, 1, 64, 7, 320, 400, 0, true",
    "6, 1, 128, 32, 128, 65, 1.5, false",
    "7, 1, 128, 16, 320, 0, 0, false",
    "8, 1, 64, 16, 1024, 0, 0, true",
  })
  void oneRowOfEachSequence(
      int heads, int kvHeads, int dim, int block, int part, int window, float cap, boolean early) {
    var step = new RaggedStep(new int[] {1, 333, 600, 64, 321}, new int[] {1, 1, 1, 1, 1});
    var cache = step.cache(KvDtype.BFLOAT16, kvHeads, dim, block, random);
    var shape = new RaggedStep.Shape(heads, (float) (1 / Math.sqrt(dim)), window, cap);
    var queries = DeviceRows.dense(KvDtype.BFLOAT16, step.count(), heads * dim).random(random);
    queries.fill(2, _ -> 64 * random.nextGaussian()); // scores far above those of its neighbours
    Kernels.copyEarly(early);
    var out = run(step, cache, shape, queries, part);
    out.check(4.2e-3, step.attended(queries, cache, shape));
  }

  /** Sixteen parts fill their memory, which ends at a page that nobody may touch. */
  @ParameterizedTest
  @ValueSource(ints = {BLOCKS, 20}) // some blocks have several parts, or none
  void nothingBehindTheLastPartIsAskedFor(int blocks) {
    var shape = new RaggedStep.Shape(1, 0.125f, 0, 0);
    var step = new RaggedStep(new int[] {1024}, new int[] {1});
    var cache = step.cache(KvDtype.BFLOAT16, 1, 64, 16, random);
    var queries = DeviceRows.dense(KvDtype.BFLOAT16, step.count(), 64).random(random);
    var out = run(step, cache, shape, queries, 64, blocks);
    out.check(4.2e-3, step.attended(queries, cache, shape));
  }

  @Test
  void aRowIsTheSameBitsAmongOthersAsAlone() {
    var shape = new RaggedStep.Shape(4, 0.125f, 0, 0);
    var alone = new RaggedStep(new int[] {500}, new int[] {1});
    var together = new RaggedStep(new int[] {77, 500}, new int[] {1, 1});
    var queries = DeviceRows.dense(KvDtype.BFLOAT16, 2, 256).random(random);
    double[] query = queries.row(0);
    var same = DeviceRows.dense(KvDtype.BFLOAT16, 3, 256).random(random);
    same.fill(1, i -> query[i]);
    var first =
        run(
            alone,
            alone.cache(KvDtype.BFLOAT16, 2, 64, 16, new SplittableRandom(1)),
            shape,
            queries,
            128);
    var cache = together.cache(KvDtype.BFLOAT16, 2, 64, 16, random);
    var source = alone.cache(KvDtype.BFLOAT16, 2, 64, 16, new SplittableRandom(1));
    for (int head = 0; head < 2; head++) {
      for (int t = 0; t < 500; t++) {
        cache.put(1, head, t, floats(source.key(0, head, t)), floats(source.value(0, head, t)));
      }
    }
    var second = run(together, cache, shape, same, 128);
    assertArrayEquals(first.row(0), second.row(1));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 255, 256, 257, 700})
  void partsAreCutAtMultiplesOfTheirLength(int rows) {
    int window = 100;
    int[] positions = new int[rows + 1]; // behind the last is one more, which is not to be read
    Arrays.setAll(positions, i -> i == rows ? 299 : random.nextInt(-1, 300));
    int[] sequences = new int[rows];
    Arrays.setAll(sequences, _ -> random.nextInt(rows));
    var parts = new int[rows * 3 * 4];
    var partsOnDevice = DeviceArrays.of(parts);
    var starts = DeviceArrays.of(new int[rows + 1]);
    var count = DeviceArrays.of(0);
    Kernels.launch(
        "plan_decode",
        Grid.of(1),
        DeviceArrays.of(positions),
        DeviceArrays.of(sequences),
        rows,
        DeviceArrays.of(64),
        window,
        partsOnDevice,
        starts,
        count);
    int at = 0;
    for (int row = 0; row < rows; row++) {
      assertEquals(at, starts.getAtIndex(JAVA_INT, row));
      int from = Math.max(0, positions[row] - window + 1);
      boolean alone = from / 64 == positions[row] / 64;
      while (from <= positions[row]) {
        int end = Math.min(positions[row] + 1, (from / 64 + 1) * 64);
        int[] expected = {alone ? ~row : row, from, end, sequences[row]};
        for (int i = 0; i < 4; i++) {
          assertEquals(expected[i], partsOnDevice.getAtIndex(JAVA_INT, 4L * at + i));
        }
        at++;
        from = end;
      }
    }
    assertEquals(at, starts.getAtIndex(JAVA_INT, rows));
    assertEquals(at, count.get(JAVA_INT, 0));
  }

  private static DeviceRows run(
      RaggedStep step, PagedCache cache, RaggedStep.Shape shape, DeviceRows queries, int part) {
    return run(step, cache, shape, queries, part, BLOCKS);
  }

  private static DeviceRows run(
      RaggedStep step,
      PagedCache cache,
      RaggedStep.Shape shape,
      DeviceRows queries,
      int part,
      int blocks) {
    int rows = step.count();
    int dim = cache.headDim;
    int most = rows * 16;
    var parts = DeviceArrays.of(new int[4 * most]);
    var starts = DeviceArrays.of(new int[rows + 1]);
    var count = DeviceArrays.of(0);
    plan(step, shape.window(), part, parts, starts, count);
    var out = DeviceRows.empty(KvDtype.BFLOAT16, rows, shape.heads() * dim);
    var sums = DeviceRows.dense(KvDtype.FLOAT32, most * shape.heads(), dim);
    var stats = DeviceRows.dense(KvDtype.FLOAT32, most * shape.heads(), 2);
    Kernels.launch(
        "decode_" + dim,
        Grid.of(blocks).threads(128).shared(896L * dim + 256),
        queries.address(),
        shape.heads(),
        cache.kvHeads,
        shape.scale(),
        shape.softCap(),
        cache.keys(),
        cache.values(),
        cache.blockStride(),
        cache.blockSize,
        cache.tables(),
        cache.tableStride,
        // nothing lies behind them
        DeviceArrays.of(parts.asSlice(0, 16L * count.get(JAVA_INT, 0))),
        count,
        sums.address(),
        stats.address(),
        out.address(),
        out.stride());
    sums.requireGuards();
    stats.requireGuards();
    for (int row = count.get(JAVA_INT, 0) * shape.heads(); row < sums.rows(); row++) {
      assertTrue(Double.isNaN(sums.row(row)[0]), row + " is of no part");
    }
    Kernels.launch(
        "merge_decode",
        Grid.of(rows, shape.heads()).threads(dim),
        sums.address(),
        stats.address(),
        starts,
        shape.heads(),
        dim,
        out.address(),
        out.stride());
    return out;
  }

  private static void plan(
      RaggedStep step,
      int window,
      int part,
      MemorySegment parts,
      MemorySegment starts,
      MemorySegment count) {
    Kernels.launch(
        "plan_decode",
        Grid.of(1),
        step.positionsOnDevice(),
        step.sequencesOnDevice(),
        step.count(),
        DeviceArrays.of(part),
        window,
        parts,
        starts,
        count);
  }

  private static float[] floats(double[] numbers) {
    float[] out = new float[numbers.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) numbers[i];
    }
    return out;
  }
}
