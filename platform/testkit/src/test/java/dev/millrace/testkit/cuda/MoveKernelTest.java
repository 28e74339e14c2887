package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.KvDtype;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MoveKernelTest {
  private final RandomGenerator random = new SplittableRandom(17);

  @ParameterizedTest
  @ValueSource(ints = {1, 255, 256, 300})
  void pickedRows(int width) {
    for (var type : new KvDtype[] {KvDtype.FLOAT32, KvDtype.BFLOAT16}) {
      var x = DeviceRows.empty(type, 6, width).random(random);
      int[] picks = {5, 0, -1, 5};
      var out = DeviceRows.empty(type, picks.length, width);
      Kernels.launch(
          "gather_" + CacheTypes.suffix(type),
          Grid.of(picks.length),
          x.address(),
          x.stride(),
          DeviceArrays.of(picks),
          out.address(),
          out.stride(),
          width);
      double[][] expected = new double[picks.length][];
      for (int r = 0; r < picks.length; r++) {
        expected[r] = picks[r] < 0 ? new double[width] : x.row(picks[r]);
      }
      out.check(0, expected);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 255, 256, 300})
  void columnsInAnotherOrder(int width) {
    int[] order = IntStream.range(0, width).map(i -> (7 * i + 3) % width).toArray();
    int[] longer = Arrays.copyOf(order, width + 1); // one more would leave a number behind the row
    for (var type : new KvDtype[] {KvDtype.FLOAT32, KvDtype.BFLOAT16}) {
      var x = DeviceRows.empty(type, 3, width).random(random);
      var out = DeviceRows.empty(type, 3, width);
      Kernels.launch(
          "reorder_" + CacheTypes.suffix(type),
          Grid.of(3, Math.ceilDiv(width, 256)),
          x.address(),
          x.stride(),
          DeviceArrays.of(longer),
          out.address(),
          out.stride(),
          width);
      double[][] expected = new double[3][];
      for (int r = 0; r < 3; r++) {
        double[] row = x.row(r);
        expected[r] = IntStream.of(order).mapToDouble(from -> row[from]).toArray();
      }
      out.check(0, expected);
      out.requireGuards();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 1020, 1024, 1100})
  void blocksAreCopiedInOrder(int words) {
    int blocks = 5;
    int[] before = random.ints((long) words * blocks).toArray();
    int[] after = before.clone();
    int[] copies = {0, 3, 3, 1, 4, 0};
    for (int i = 0; i < copies.length; i += 2) {
      System.arraycopy(after, copies[i] * words, after, copies[i + 1] * words, words);
    }
    MemorySegment cache = DeviceArrays.of(before);
    Kernels.launch(
        "copy_blocks",
        Grid.of(Math.ceilDiv(words / 4, 256)),
        cache,
        4L * words,
        DeviceArrays.of(copies),
        copies.length / 2);
    for (int i = 0; i < after.length; i++) {
      assertEquals(after[i], cache.getAtIndex(JAVA_INT, i), "word " + i);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 255, 256, 300})
  void tokensOfTheStepBefore(int rows) {
    int[] drawn = random.ints(7, 0, 50_000).toArray();
    drawn[3] = -1;
    int[] before = IntStream.range(0, rows + 1).map(row -> row % 12 - 8).toArray();
    before[rows] = -2; // one more row
    MemorySegment tokens = DeviceArrays.of(before);
    Kernels.launch(
        "fill_tokens", Grid.of(Math.ceilDiv(rows, 256)), tokens, DeviceArrays.of(drawn), rows);
    for (int row = 0; row <= rows; row++) {
      int token = before[row];
      int expected = row < rows && token < -1 ? drawn[-2 - token] : token;
      assertEquals(expected, tokens.getAtIndex(JAVA_INT, row), "row " + row);
    }
  }

  /** The row ends where its memory does. */
  @Test
  void nothingBehindARowIsRead() {
    float[] row = new float[4096];
    row[row.length - 1] = 1;
    var tokens = DeviceArrays.of(-1);
    Kernels.launch(
        "argmax_f32",
        Grid.of(1).threads(1024),
        DeviceArrays.of(row),
        row.length,
        row.length,
        tokens);
    assertEquals(row.length - 1, tokens.getAtIndex(JAVA_INT, 0));
  }

  @ParameterizedTest
  @ValueSource(ints = {700, 1024, 17_001})
  void theFirstOfTheLikeliestTokens(int vocabulary) {
    float[][] rows = new float[7][vocabulary];
    for (float[] row : rows) {
      for (int i = 0; i < vocabulary; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    int end = vocabulary - 1;
    rows[0][end] = 9;
    rows[1][end - 99] = 9;
    rows[1][31] = 9;
    rows[2][288] = Float.NaN;
    rows[3][1] = Float.POSITIVE_INFINITY;
    Arrays.fill(rows[4], Float.NEGATIVE_INFINITY);
    Arrays.fill(rows[5], -3);
    rows[6][0] = 9;
    int[] expected = {end, 31, -1, -1, 0, 0, 0};
    var logits = DeviceRows.empty(KvDtype.FLOAT32, rows.length, vocabulary);
    for (int r = 0; r < rows.length; r++) {
      float[] row = rows[r];
      logits.fill(r, i -> row[i]);
    }
    var tokens = DeviceArrays.of(new int[rows.length]);
    Kernels.launch(
        "argmax_f32",
        Grid.of(rows.length).threads(1024),
        logits.address(),
        logits.stride(),
        vocabulary,
        tokens);
    for (int r = 0; r < rows.length; r++) {
      assertEquals(expected[r], tokens.getAtIndex(JAVA_INT, r), "row " + r);
    }
  }
}
