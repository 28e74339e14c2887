package dev.millrace.testkit.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.millrace.engine.device.KvDtype;
import java.util.ArrayList;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrefillKernelTest {
  private final RandomGenerator random = new SplittableRandom(31);

  @AfterEach
  void late() {
    Kernels.copyEarly(false);
  }

  /** Heads, KV heads, numbers of a head, tokens of a block, window, cap, early copies. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 64, 16, 0, 0, false",
    "2, 2, 128, 1, 0, 0, true",
    "4, 1, 128, 16, 0, 0, false",
    "7, 1, 64, 5, 0, 2, false",
    "8, 1, 64, 32, 70, 0, false",
    "6, 2, 128, 16, 3, 0, true",
    "4, 2, 64, 16, 130, 1.5, true",
    "4, 2, 64, 16, 192, 0, false", // the last of 64 rows sees all of a tile but its first
  })
  void raggedStepsAttend(
      int heads, int kvHeads, int dim, int block, int window, float cap, boolean early) {
    var step = new RaggedStep(new int[] {3, 260, 65, 129}, new int[] {3, 67, 1, 30});
    var cache = step.cache(KvDtype.BFLOAT16, kvHeads, dim, block, random);
    var shape = new RaggedStep.Shape(heads, (float) (1 / Math.sqrt(dim)), window, cap);
    var queries = DeviceRows.dense(KvDtype.BFLOAT16, step.count(), heads * dim).random(random);
    Kernels.copyEarly(early);
    var out = run(step, cache, shape, queries);
    double[][] expected = step.attended(queries, cache, shape);
    expected[step.count() - 1] = out.row(step.count() - 1); // padding is in no tile
    out.check(6e-3, expected);
  }

  @Test
  void aPromptIsTheSameBitsWholeAndInChunks() {
    var shape = new RaggedStep.Shape(4, 0.125f, 100, 0);
    var whole = new RaggedStep(new int[] {200}, new int[] {200});
    var cache = whole.cache(KvDtype.BFLOAT16, 2, 64, 16, random);
    var queries = DeviceRows.dense(KvDtype.BFLOAT16, 201, 256).random(random);
    var expected = run(whole, cache, shape, queries);
    int done = 0;
    for (int length : new int[] {1, 70, 71, 133, 200}) {
      var chunk = new RaggedStep(new int[] {length}, new int[] {length - done});
      var part = DeviceRows.dense(KvDtype.BFLOAT16, chunk.count(), 256);
      for (int r = 0; r < length - done; r++) {
        double[] row = queries.row(done + r);
        part.fill(r, i -> row[i]);
      }
      var out = run(chunk, cache, shape, part);
      for (int r = 0; r < length - done; r++) {
        assertArrayEquals(expected.row(done + r), out.row(r));
      }
      done = length;
    }
  }

  private static DeviceRows run(
      RaggedStep step, PagedCache cache, RaggedStep.Shape shape, DeviceRows queries) {
    int perTile = 128 / (shape.heads() / cache.kvHeads);
    var tiles = new ArrayList<Integer>();
    int first = 0;
    for (int s = 0; s < step.rows().length; s++) {
      for (int i = 0; i < step.rows()[s]; i += perTile) {
        tiles.add(first + i);
        tiles.add(Math.min(perTile, step.rows()[s] - i));
        tiles.add(s);
        tiles.add(0);
      }
      first += step.rows()[s];
    }
    int dim = cache.headDim;
    var out = DeviceRows.empty(KvDtype.BFLOAT16, step.count(), shape.heads() * dim);
    out.fill(step.count() - 1, _ -> 7);
    Kernels.launch(
        "prefill_" + dim,
        Grid.of(tiles.size() / 4, cache.kvHeads).threads(128).shared(768L * dim),
        queries.address(),
        shape.heads(),
        cache.kvHeads,
        shape.scale(),
        shape.window(),
        shape.softCap(),
        cache.keys(),
        cache.values(),
        cache.blockStride(),
        cache.blockSize,
        cache.tables(),
        cache.tableStride,
        DeviceArrays.of(tiles.stream().mapToInt(i -> i).toArray()),
        step.positionsOnDevice(),
        out.address(),
        out.stride());
    return out;
  }
}
