package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.KvDtype;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SampleKernelTest {
  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  private final RandomGenerator random = new SplittableRandom(41);

  private record Settings(
      float temperature, float topP, float minP, int topK, long seed, long index) {}

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 257, 600})
  void drawsAsFromASortedRow(int vocabulary) {
    var settings = new ArrayList<Settings>();
    for (int i = 0; i < 60; i++) {
      settings.add(
          new Settings(
              pick(i, 0, 0.3f, 1, 4),
              pick(i / 4, 1, 0.9f, 0.3f, 1, 1e-6f),
              pick(random.nextInt(4), 0, 0, 0.1f, 1),
              (int) pick(i / 3, 0, 1, 7, 0, 300),
              random.nextLong(),
              random.nextInt(99)));
    }
    var logits = DeviceRows.empty(KvDtype.FLOAT32, settings.size(), vocabulary).random(random);
    for (int r = 0; r < settings.size(); r += 3) {
      logits.fill(r, _ -> random.nextInt(-3, 4)); // many equals
    }
    int[] tokens = sample(logits, vocabulary, settings);
    for (int r = 0; r < tokens.length; r++) {
      assertEquals(drawn(logits.row(r), settings.get(r)), tokens[r], settings.get(r).toString());
    }
  }

  private static float pick(int i, float... values) {
    return values[i % values.length];
  }

  @Test
  void rowsWithoutATokenSaySo() {
    int vocabulary = 300;
    var logits = DeviceRows.empty(KvDtype.FLOAT32, 6, vocabulary).random(random);
    logits.fill(0, i -> i == 299 ? Double.NaN : 0);
    logits.fill(1, i -> i == 0 ? Double.POSITIVE_INFINITY : 0);
    logits.fill(2, _ -> Double.NEGATIVE_INFINITY);
    logits.fill(3, i -> i == 280 ? -50 : Double.NEGATIVE_INFINITY);
    logits.fill(4, i -> i < 2 ? 0.0 * (i - 1) : -9); // -0, then 0
    logits.fill(5, i -> i == 270 ? 60 : -60);
    var settings = new ArrayList<Settings>();
    for (int r = 0; r < 6; r++) {
      settings.add(new Settings(r == 4 ? 0 : 1, 0.9f, 0, 5, r, r));
    }
    int[] expected = {-1, -1, -1, 280, 0, 270};
    assertEquals(Arrays.toString(expected), Arrays.toString(sample(logits, vocabulary, settings)));
  }

  private static int[] sample(DeviceRows logits, int vocabulary, List<Settings> settings) {
    int count = settings.size();
    var memory = Kernels.allocate(32L * count);
    for (int r = 0; r < count; r++) {
      var row = memory.asSlice(32L * r, 32);
      var s = settings.get(r);
      row.set(JAVA_FLOAT, 0, s.temperature);
      row.set(JAVA_FLOAT, 4, s.topP);
      row.set(JAVA_FLOAT, 8, s.minP);
      row.set(JAVA_INT, 12, s.topK);
      row.set(JAVA_LONG, 16, s.seed);
      row.set(JAVA_LONG, 24, s.index);
    }
    var tokens = DeviceArrays.of(new int[count]);
    Kernels.launch(
        "sample_f32",
        Grid.of(count).threads(1024),
        logits.address(),
        logits.stride(),
        vocabulary,
        memory,
        tokens);
    return IntStream.range(0, count).map(r -> tokens.getAtIndex(JAVA_INT, r)).toArray();
  }

  /** The token that the engine's sampler would draw, with weights in F64. */
  private static int drawn(double[] logits, Settings s) {
    int[] order =
        IntStream.range(0, logits.length)
            .boxed()
            .sorted((a, b) -> logits[a] == logits[b] ? a - b : Double.compare(logits[b], logits[a]))
            .mapToInt(i -> i)
            .toArray();
    if (s.temperature == 0) {
      return order[0];
    }
    double[] weights = new double[order.length];
    for (int i = 0; i < order.length; i++) {
      weights[i] = Math.exp((logits[order[i]] - logits[order[0]]) / s.temperature);
    }
    int size = s.topK > 0 ? Math.min(s.topK, order.length) : order.length;
    double enough = s.topP * sum(weights, size);
    int kept = s.topP < 1 ? 0 : size;
    while (kept < size && sum(weights, kept) < enough) {
      kept++;
    }
    size = Math.max(1, kept);
    while (size > 1 && weights[size - 1] < s.minP) {
      size--;
    }
    double target = uniform(s.seed, s.index) * sum(weights, size);
    int i = 0;
    while (i < size - 1 && sum(weights, i + 1) <= target) {
      i++;
    }
    return order[i];
  }

  private static double sum(double[] weights, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[i];
    }
    return sum;
  }

  private static double uniform(long seed, long index) {
    return (mix(mix(seed) + index * GAMMA) >>> 11) * 0x1p-53;
  }

  private static long mix(long value) {
    long z = value + GAMMA;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
