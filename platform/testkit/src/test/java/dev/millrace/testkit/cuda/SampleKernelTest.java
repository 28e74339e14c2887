package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.KvDtype;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SampleKernelTest {
  private static final long GAMMA = 0x9E3779B97F4A7C15L;

  /** The temperature at which a logit that is less by 1 weighs half, exactly. */
  private static final float HALVING = 1.442695f;

  private final RandomGenerator random = new SplittableRandom(41);

  private record Settings(
      float temperature, float topP, float minP, int topK, long seed, long index) {}

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 31, 257, 600})
  void drawsAsFromASortedRow(int vocabulary) {
    var settings = new ArrayList<Settings>();
    for (int i = 0; i < 60; i++) {
      settings.add(
          new Settings(
              pick(i, 0, 0.3f, 1, 4, 1e-38f, 1e30f),
              pick(i / 4, 1, 0.9f, 0.3f, 1, 1e-6f, 1e-30f),
              pick(random.nextInt(4), 0, 0, 0.1f, 1),
              (int) pick(i / 3, 0, 1, 7, 0, 300),
              random.nextLong(),
              random.nextInt(99)));
    }
    var logits = DeviceRows.empty(KvDtype.FLOAT32, settings.size(), vocabulary).random(random);
    for (int r = 0; r < settings.size(); r += 3) {
      logits.fill(r, _ -> random.nextInt(-3, 4)); // many equals
    }
    requireDrawn(logits, vocabulary, settings);
  }

  /** More tokens than are sorted, of logits that spread, lie close together or are all alike. */
  @ParameterizedTest
  @ValueSource(ints = {1023, 1024, 1025, 5001, 20_000})
  void drawsFromWhatIsMoreThanThereIsRoomFor(int vocabulary) {
    var settings = new ArrayList<Settings>();
    for (int i = 0; i < 48; i++) {
      settings.add(
          new Settings(
              pick(i, 0.8f, 1, 30, 0.1f),
              pick(i / 6, 1, 0.95f, 0.5f),
              pick(i, 0, 0, 0, 0, 0.02f),
              (int) pick(i / 3, 0, 50, vocabulary, 0, vocabulary / 2f),
              random.nextLong(),
              i));
    }
    var logits = DeviceRows.empty(KvDtype.FLOAT32, settings.size(), vocabulary);
    for (int r = 0; r < settings.size(); r++) {
      int shape = r % 7;
      logits.fill(r, i -> logit(shape, i));
    }
    int[] tokens = sample(logits, vocabulary, settings);
    for (int r = 0; r < tokens.length; r++) {
      String what = "logits " + r % 7 + ", " + settings.get(r);
      assertEquals(drawn(logits.row(r), settings.get(r)), tokens[r], what);
    }
  }

  private double logit(int shape, int i) {
    return switch (shape) {
      case 0 -> random.nextGaussian();
      case 1 -> 4 * random.nextGaussian(); // some weigh nothing
      case 2 -> random.nextInt(-1, 1); // half of them alike
      case 3 -> 7; // all alike
      case 4 -> i % 3 == 0 ? random.nextGaussian() / 1000 : Double.NEGATIVE_INFINITY;
      case 5 -> i == 5 ? 0 : -27.7 - random.nextDouble() / 10; // about where nothing is left
      default -> (i == 77 ? 9 : 0) + random.nextInt(40) / 16.0;
    };
  }

  @Test
  void ofEqualsAtTheCutTheFirstAreLeft() {
    int vocabulary = 2000;
    var settings = new ArrayList<Settings>();
    for (int r = 0; r < 60; r++) {
      settings.add(r % 2 == 0 ? new Settings(1, 1, 0, 3, r, 0) : new Settings(1, 0.3f, 0, 3, r, 0));
    }
    var logits = DeviceRows.aligned(KvDtype.FLOAT32, settings.size(), vocabulary);
    for (int r = 0; r < settings.size(); r++) {
      logits.fill(r, i -> i % 500 == 499 ? 5 : -1); // four of them alike
    }
    int[] tokens = sample(logits, vocabulary, settings);
    var seen = new TreeSet<Integer>();
    for (int r = 0; r < tokens.length; r++) {
      assertEquals(drawn(logits.row(r), settings.get(r)), tokens[r], settings.get(r).toString());
      seen.add(tokens[r]);
    }
    assertEquals(Set.of(499, 999, 1499), seen);
  }

  /** At the end of memory, so that nothing is read behind a row. */
  @ParameterizedTest
  @ValueSource(ints = {1, 512})
  void drawsFromTheManyAlikeBelowAFew(int few) {
    int vocabulary = 5001;
    double above = few / (few + (vocabulary - few) * 0x1p-13);
    var settings = new ArrayList<Settings>();
    for (int r = 0; r < 64; r++) {
      int topK = (int) pick(r, few + 1f, few, 3000, 0);
      double part = r % 8 == 7 ? 0.999 : 0; // of the many, before the one that is drawn
      double least = topK == 0 ? above + part * (1 - above) : 0;
      float minP = r < 16 ? 1 : 0; // those few, and no others
      float topP = pick(r / 4, 1, 1, 0.99999f);
      settings.add(new Settings(HALVING, topP, minP, topK, seed(r, least), r));
    }
    var logits = DeviceRows.last(KvDtype.FLOAT32, settings.size(), vocabulary);
    for (int r = 0; r < settings.size(); r++) {
      logits.fill(r, i -> (i + 1) * few / vocabulary > i * few / vocabulary ? 3 : -10);
    }
    requireDrawn(logits, vocabulary, settings);
  }

  /**
   * Many tokens of little weight behind few of much, whose logit lies so far from the middle of its
   * bin that the counts promise thousands of the others more, or less, than there are.
   */
  @ParameterizedTest
  @ValueSource(doubles = {-0.45, 0.45})
  void drawsFromAnotherPlaceThanCountsPromise(double off) {
    int vocabulary = 20_001;
    float spread = (float) (4095 / (105 + off)); // of logits: the first to the last of 4,096 bins
    var settings = new ArrayList<Settings>();
    for (int r = 0; r < 16; r++) {
      var topP = pick(r, 1, 1, 0.998f);
      settings.add(new Settings(HALVING, topP, 0, (int) pick(r, 0, 15_000), seed(r, 0.99), r));
    }
    var logits = DeviceRows.last(KvDtype.FLOAT32, settings.size(), vocabulary);
    for (int r = 0; r < settings.size(); r++) {
      logits.fill(
          r,
          i -> {
            if (i == vocabulary - 1) {
              return 0;
            }
            return i == 0 ? -spread : i % 40 == 7 ? -1 : -12 - 2 * random.nextDouble();
          });
    }
    requireDrawn(logits, vocabulary, settings);
  }

  /** A seed whose draw with this index is not less. */
  private long seed(long index, double least) {
    long seed = random.nextLong();
    while (uniform(seed, index) < least) {
      seed = random.nextLong();
    }
    return seed;
  }

  private static void requireDrawn(DeviceRows logits, int vocabulary, List<Settings> settings) {
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
        Grid.of(count).threads(512),
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
    double steepness = Math.min(HALVING / s.temperature, 0x1p100); // 0 times this is 0
    for (int i = 0; i < order.length; i++) {
      weights[i] = Math.pow(2, (logits[order[i]] - logits[order[0]]) * steepness);
    }
    double[] sums = new double[order.length + 1];
    for (int i = 0; i < order.length; i++) {
      sums[i + 1] = sums[i] + weights[i];
    }
    int size = s.topK > 0 ? Math.min(s.topK, order.length) : order.length;
    double enough = s.topP * sums[size];
    int kept = s.topP < 1 ? 0 : size;
    while (kept < size && sums[kept] < enough) {
      kept++;
    }
    size = Math.max(1, kept);
    while (size > 1 && weights[size - 1] < s.minP) {
      size--;
    }
    double target = uniform(s.seed, s.index) * sums[size];
    int i = 0;
    while (i < size - 1 && sums[i + 1] <= target) {
      i++;
    }
    return order[i];
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
