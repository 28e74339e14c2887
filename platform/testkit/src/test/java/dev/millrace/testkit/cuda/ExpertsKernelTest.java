package dev.millrace.testkit.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.spi.quant.DeviceFormat;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class ExpertsKernelTest {
  private final RandomGenerator random = new SplittableRandom(19);

  @ParameterizedTest
  @CsvSource({"1, 1, 0", "4, 2, 1", "31, 3, 0", "64, 8, 1", "130, 4, 1", "5, 5, 1"})
  void theBestExpertsAreChosen(int experts, int perToken, int normalise) {
    for (var type : new KvDtype[] {KvDtype.FLOAT32, KvDtype.BFLOAT16}) {
      var routed = DeviceRows.empty(type, 5, experts + 1);
      for (int r = 0; r < 5; r++) {
        boolean ties = r == 2;
        // behind the last expert lies what would be the best of all
        routed.fill(r, i -> i == experts ? 200 : ties ? i % 2 : random.nextGaussian());
      }
      var chosen = DeviceArrays.of(new int[5 * perToken]);
      var weights = DeviceArrays.of(new float[5 * perToken]);
      Kernels.launch(
          "route_" + CacheTypes.suffix(type),
          Grid.of(5).threads(32).shared(4L * experts),
          routed.address(),
          routed.stride(),
          experts,
          perToken,
          normalise,
          chosen,
          weights);
      for (int row = 0; row < 5; row++) {
        double[] all = routed.row(row);
        double total = IntStream.range(0, experts).mapToDouble(i -> Math.exp(all[i])).sum();
        int[] best =
            IntStream.range(0, experts)
                .boxed()
                .sorted((a, b) -> all[a] == all[b] ? a - b : Double.compare(all[b], all[a]))
                .limit(perToken)
                .mapToInt(i -> i)
                .sorted()
                .toArray();
        double taken = IntStream.of(best).mapToDouble(i -> Math.exp(all[i])).sum();
        for (int n = 0; n < perToken; n++) {
          assertEquals(best[n], chosen.getAtIndex(JAVA_INT, (long) row * perToken + n));
          double weight = Math.exp(all[best[n]]) / (normalise == 1 ? taken : total);
          assertEquals(
              weight, weights.getAtIndex(JAVA_FLOAT, (long) row * perToken + n), 1e-6 * weight);
        }
      }
    }
  }

  /** Rows 1 and 2, of which the first {@code count} of four numbers are none that can be ranked. */
  @ParameterizedTest
  @CsvSource({
    "7fc00000, 1",
    "7fc00000, 3",
    "7fc00000, 4",
    "ffc00000, 4",
    "7f800000, 1",
    "7f800000, 4",
    "ff800000, 4"
  })
  void rowsThatAreNoNumbersHaveWeightsThatAreNone(String bits, int count) {
    var routed = DeviceArrays.of(new float[] {3, 1, 2, 0, 3, 1, 2, 0, 3, 1, 2, 0});
    for (int i = 0; i < count; i++) {
      routed.setAtIndex(JAVA_INT, 4L + i, Integer.parseUnsignedInt(bits, 16));
      routed.setAtIndex(JAVA_INT, 8L + i, Integer.parseUnsignedInt(bits, 16));
    }
    var chosen = DeviceArrays.of(new int[] {-1, -1, -1, -1, -1, -1, -1, -1});
    var weights = DeviceArrays.of(new float[8]);
    Kernels.launch(
        "route_f32", Grid.of(3).threads(32).shared(16), routed, 4, 4, 2, 1, chosen, weights);
    assertEquals(0, chosen.getAtIndex(JAVA_INT, 0));
    assertEquals(2, chosen.getAtIndex(JAVA_INT, 1));
    assertEquals(1, weights.getAtIndex(JAVA_FLOAT, 0) + weights.getAtIndex(JAVA_FLOAT, 1), 1e-6);
    for (int n = 2; n < 6; n++) {
      int expert = chosen.getAtIndex(JAVA_INT, n);
      assertTrue(expert >= 0 && expert < 4, "expert " + expert);
      assertTrue(Float.isNaN(weights.getAtIndex(JAVA_FLOAT, n)), "weight of " + n);
    }
    assertEquals(-1, chosen.getAtIndex(JAVA_INT, 6), "behind the last row");
  }

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.cuda.DeviceWeights#formats")
  void eachRowIsMultipliedWithItsExpert(DeviceFormat format) {
    int outs = 7;
    int ins = 65;
    int[] chosen = {2, 0, 2, 1, 1, 0};
    var experts = new ArrayList<DeviceWeights>();
    var table = Kernels.allocate(15 * ADDRESS.byteSize());
    int[] order = IntStream.range(0, ins).map(i -> (7 * i + 3) % ins).toArray();
    var orderOnDevice = DeviceArrays.of(order);
    float[] bias = {1, 2, 3, 4, 5, 6, 7};
    var biasOnDevice = DeviceArrays.of(bias);
    for (int e = 0; e < 3; e++) {
      var expert = DeviceWeights.random(outs, ins, format, random);
      experts.add(expert);
      table.setAtIndex(ADDRESS, 5L * e, expert.data());
      table.setAtIndex(ADDRESS, 5L * e + 1, expert.scales());
      table.setAtIndex(ADDRESS, 5L * e + 2, expert.zeros());
      table.setAtIndex(ADDRESS, 5L * e + 3, e == 1 ? biasOnDevice : MemorySegment.NULL);
      table.setAtIndex(ADDRESS, 5L * e + 4, e == 2 ? orderOnDevice : MemorySegment.NULL);
    }
    try {
      for (var type : new KvDtype[] {KvDtype.FLOAT32, KvDtype.BFLOAT16}) {
        var x = DeviceRows.empty(type, 3, ins).random(random);
        var reordered = DeviceRows.empty(type, 3, ins);
        for (int r = 0; r < 3; r++) {
          double[] row = x.row(r);
          reordered.fill(r, i -> row[order[i]]);
        }
        var out = DeviceRows.empty(type, chosen.length, outs);
        Kernels.launch(
            "experts_" + CacheTypes.suffix(type) + "_" + experts.getFirst().suffix(),
            Grid.of(Math.ceilDiv(outs, 4), chosen.length).threads(128),
            x.address(),
            x.stride(),
            2,
            table,
            experts.getFirst().group(),
            DeviceArrays.of(chosen),
            out.address(),
            out.stride(),
            outs,
            ins);
        double[][] expected = new double[chosen.length][];
        for (int r = 0; r < chosen.length; r++) {
          float[] itsBias = chosen[r] == 1 ? bias : new float[0];
          var inputs = chosen[r] == 2 ? reordered : x;
          expected[r] = experts.get(chosen[r]).product(inputs, itsBias)[r / 2];
        }
        out.check(type == KvDtype.FLOAT32 ? 1.6e-7 : 4e-3, expected);
      }
    } finally {
      Reference.reachabilityFence(biasOnDevice); // the table holds its address alone
      Reference.reachabilityFence(orderOnDevice);
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "3, 257", "2, 512"})
  void partsAreSummedByTheirWeights(int perToken, int width) {
    for (var type : new KvDtype[] {KvDtype.FLOAT32, KvDtype.BFLOAT16}) {
      var parts = DeviceRows.empty(type, 4 * perToken, width).random(random);
      float[] weights = new float[4 * perToken];
      double[][] expected = new double[4][width];
      for (int n = 0; n < weights.length; n++) {
        weights[n] = (float) random.nextDouble();
        for (int i = 0; i < width; i++) {
          expected[n / perToken][i] += weights[n] * parts.row(n)[i];
        }
      }
      var out = DeviceRows.empty(type, 4, width);
      Kernels.launch(
          "combine_" + CacheTypes.suffix(type),
          Grid.of(4, Math.ceilDiv(width, 256)),
          parts.address(),
          parts.stride(),
          DeviceArrays.of(weights),
          perToken,
          out.address(),
          out.stride(),
          width);
      out.check(type == KvDtype.FLOAT32 ? 1.3e-7 : 4e-3, expected);
    }
  }
}
