package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
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

class LogitsKernelTest {
  private static final int ROWS = 4;

  private final RandomGenerator random = new SplittableRandom(43);

  @Test
  void countsAndPenalties() {
    int vocabulary = 300;
    int[] slots = {2, 0, 3, 1};
    var counts = DeviceArrays.of(new int[4 * vocabulary]);
    count(counts, vocabulary, slots, new int[] {299, 5, -1, 7}, 1);
    count(counts, vocabulary, slots, new int[] {299, 6, 0, 7}, 0);
    count(counts, vocabulary, slots, new int[] {299, -1, 0, 8}, 0);
    int[][] times = new int[ROWS][vocabulary];
    times[0][299] = 2;
    times[1][6] = 1;
    times[2][0] = 2;
    times[3][7] = 1;
    times[3][8] = 1;
    float[] penalties = {1.3f, 0.5f, 0.25f, 2, 0, 0, 1, 0.5f, -0.5f, 0.8f, -1, 1};
    // dense, so that a number too many is one that shows
    var logits = DeviceRows.dense(KvDtype.FLOAT32, ROWS, vocabulary).random(random);
    var out = DeviceRows.empty(KvDtype.FLOAT32, ROWS, vocabulary);
    Kernels.launch(
        "penalise_f32",
        Grid.of(ROWS, 2),
        logits.address(),
        logits.stride(),
        vocabulary,
        DeviceArrays.of(slots),
        counts,
        DeviceArrays.of(penalties),
        out.address(),
        out.stride());
    double[][] expected = new double[ROWS][];
    for (int r = 0; r < ROWS; r++) {
      expected[r] = logits.row(r);
      for (int i = 0; i < vocabulary; i++) {
        boolean seen = times[r][i] > 0 || (r == 1 && i == 5);
        double x = expected[r][i];
        if (seen) {
          x = x > 0 ? x / penalties[3 * r] : x * penalties[3 * r];
          x -= times[r][i] > 0 ? penalties[3 * r + 1] + times[r][i] * penalties[3 * r + 2] : 0;
        }
        expected[r][i] = x;
      }
    }
    out.check(1.2e-7, expected);
  }

  private static void count(
      MemorySegment counts, int vocabulary, int[] slots, int[] tokens, int prompt) {
    // two threads more than there are rows, for which rows lie there that must not count
    Kernels.launch(
        "count_tokens",
        Grid.of(2).threads(ROWS / 2 + 1),
        counts,
        vocabulary,
        DeviceArrays.of(Arrays.copyOf(slots, ROWS + 2)),
        DeviceArrays.of(Arrays.copyOf(tokens, ROWS + 2)),
        ROWS,
        prompt);
  }

  @Test
  void biasIsAddedToSingleLogits() {
    var logits = DeviceRows.empty(KvDtype.FLOAT32, 3, 10).random(random);
    double[][] expected = {logits.row(0), logits.row(1), logits.row(2)};
    expected[0][9] = (float) (expected[0][9] + 2.5);
    expected[2][0] = Float.NEGATIVE_INFINITY;
    expected[1][4] = (float) (expected[1][4] - 1);
    expected[0][3] = (float) (expected[0][3] + 3);
    expected[2][7] = (float) (expected[2][7] + 0.5);
    Kernels.launch(
        "add_bias_f32",
        Grid.of(2).threads(3),
        logits.address(),
        logits.stride(),
        DeviceArrays.of(0, 9, 2, 0, 1, 4, 0, 3, 2, 7, 1, 5),
        // the last is beyond their number
        DeviceArrays.of(2.5f, Float.NEGATIVE_INFINITY, -1, 3, 0.5f, 7),
        5);
    for (int r = 0; r < 3; r++) {
      for (int i = 0; i < 10; i++) {
        assertEquals(expected[r][i], logits.row(r)[i], "[" + r + "][" + i + "]");
      }
    }
    logits.requireGuards();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 31, 256, 1027, 20_000})
  void logprobsAndRanks(int vocabulary) {
    var logits = logits(vocabulary);
    int[] tokens = {vocabulary - 1, 0, -1, vocabulary / 2};
    var logprobs = DeviceArrays.of(new float[ROWS]);
    var ranks = DeviceArrays.of(new int[ROWS]);
    Kernels.launch(
        "logprobs_f32",
        Grid.of(ROWS).threads(1024),
        logits.address(),
        logits.stride(),
        vocabulary,
        DeviceArrays.of(tokens),
        logprobs,
        ranks);
    for (int r = 0; r < ROWS; r++) {
      double[] row = logits.row(r);
      int token = tokens[r];
      double own = token < 0 ? Double.NaN : row[token];
      int rank = 1 + (int) IntStream.range(0, vocabulary).filter(i -> row[i] > own).count();
      assertEquals(token < 0 ? 0 : rank, ranks.getAtIndex(JAVA_INT, r));
      assertEquals((float) (own - logSum(row)), logprobs.getAtIndex(JAVA_FLOAT, r), 2e-6);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {20, 31, 256, 1027, 20_000})
  void theLikeliestTokensBestFirst(int vocabulary) {
    int count = 20;
    var logits = logits(vocabulary);
    var ids = DeviceArrays.of(new int[ROWS * count]);
    var logprobs = DeviceArrays.of(new float[ROWS * count]);
    Kernels.launch(
        "top_f32",
        Grid.of(ROWS).threads(1024),
        logits.address(),
        logits.stride(),
        vocabulary,
        count,
        ids,
        logprobs);
    for (int r = 0; r < ROWS; r++) {
      double[] row = logits.row(r);
      int[] order =
          IntStream.range(0, vocabulary)
              .boxed()
              .sorted((a, b) -> row[a] == row[b] ? a - b : Double.compare(row[b], row[a]))
              .mapToInt(i -> i)
              .toArray();
      for (int n = 0; n < count; n++) {
        assertEquals(order[n], ids.getAtIndex(JAVA_INT, (long) r * count + n));
        float expected = (float) (row[order[n]] - logSum(row));
        assertEquals(expected, logprobs.getAtIndex(JAVA_FLOAT, (long) r * count + n), 2e-6);
      }
    }
  }

  private DeviceRows logits(int vocabulary) {
    var logits = DeviceRows.empty(KvDtype.FLOAT32, ROWS, vocabulary).random(random);
    logits.fill(1, _ -> random.nextInt(3)); // equals
    logits.fill(3, i -> i % 3 == 0 ? Double.NEGATIVE_INFINITY : 80 + i % 7);
    return logits;
  }

  private static double logSum(double[] row) {
    double largest = IntStream.range(0, row.length).mapToDouble(i -> row[i]).max().orElseThrow();
    double sum = 0;
    for (double x : row) {
      sum += Math.exp(x - largest);
    }
    return largest + Math.log(sum);
  }
}
