package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.MatrixExperts;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.Vector;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Routing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every device must compute: each operation against plain F64 arithmetic, on awkward sizes.
 * Extend it, say how the device is made, and the whole contract runs.
 */
public abstract class DeviceContract extends LinearContract {
  /** A vocabulary so large that the device does not hold 600 rows of its logits at a time. */
  protected int wideVocabulary() {
    return 65_536;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 31, 32, 33, 127, 128, 257})
  void embeddingsAreTheRowsOfTheTable(int width) {
    check(width, (x, _) -> x, row -> row);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 4, 33, 128, 257})
  void normsFollowTheirFormula(int width) {
    float[] weight = MemoryMatrix.numbers(random, width);
    float[] bias = MemoryMatrix.numbers(random, width);
    for (var kind : Norm.Kind.values()) {
      var norm = new Norm(kind, new Vector(weight), new Vector(bias), 1e-5f, 1);
      check(
          width,
          (x, ops) -> ops.norm(x, norm),
          row -> OpsInDouble.norm(kind, row, weight, bias, 1e-5f, 1));
    }
  }

  @Test
  void addNormLeavesTheSumInTheResidual() {
    float[] weight = MemoryMatrix.numbers(random, 33);
    var norm = Norm.rms(new Vector(weight), 1e-6f);
    var linear = MatrixLinear.withoutBias("m", List.of(MemoryMatrix.random(33, 33, random)));
    check(
        33,
        (x, ops) -> {
          var normed = ops.addNorm(x, linear.apply(x, ops), norm);
          return ops.add(ops.scale(x, 2), normed);
        },
        row -> {
          double[] sum = new double[33];
          for (int i = 0; i < 33; i++) {
            sum[i] = row[i] + dot(row, linear.parts().getFirst(), i);
          }
          double[] normed = OpsInDouble.norm(Norm.Kind.RMS, sum, weight, new float[33], 1e-6f, 0);
          for (int i = 0; i < 33; i++) {
            normed[i] += 2 * sum[i];
          }
          return normed;
        });
  }

  @Test
  void headNormsTreatEachHeadAlone() {
    float[] weight = MemoryMatrix.numbers(random, 5);
    var norm = Norm.rms(new Vector(weight), 1e-6f);
    check(
        15,
        (x, ops) -> ops.headNorm(x, 5, norm),
        row -> {
          double[] out = new double[15];
          for (int head = 0; head < 15; head += 5) {
            double[] part = Arrays.copyOfRange(row, head, head + 5);
            part = OpsInDouble.norm(Norm.Kind.RMS, part, weight, new float[5], 1e-6f, 0);
            System.arraycopy(part, 0, out, head, 5);
          }
          return out;
        });
  }

  @ParameterizedTest
  @EnumSource
  void gatedMultipliesTheActivatedGateWithTheRest(Activation f) {
    check(
        66,
        (x, ops) -> ops.gated(f, x),
        row -> {
          double[] out = new double[33];
          for (int i = 0; i < 33; i++) {
            out[i] = OpsInDouble.activate(f, row[i]) * row[33 + i];
          }
          return out;
        });
  }

  @ParameterizedTest
  @EnumSource
  void activationsFollowTheirFormula(Activation f) {
    check(
        65,
        (x, ops) -> ops.activate(f, ops.scale(x, 3)),
        row -> OpsInDouble.map(row, v -> OpsInDouble.activate(f, 3 * v)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void expertsAreWeighedByTheSoftmaxOfTheirRouter(boolean normalise) {
    var router = MemoryMatrix.random(5, 7, random);
    requireExperts(router, matrices(5, 6, 7), matrices(5, 7, 3), normalise);
  }

  /** Each its own, and some none. */
  @Test
  void expertsMeetTheirInputsInAnyOrder() {
    var format = new DeviceFormat.F32();
    var gateUp = new ArrayList<QuantizedMatrix>(matrices(2, 6, 7));
    var down = new ArrayList<QuantizedMatrix>(matrices(2, 7, 3));
    for (int i = 0; i < 3; i++) {
      gateUp.add(EncodedMatrix.reordered(6, 7, format, random));
      down.add(EncodedMatrix.reordered(7, 3, format, random));
    }
    requireExperts(MemoryMatrix.random(5, 7, random), gateUp, down, true);
  }

  private void requireExperts(
      QuantizedMatrix router,
      List<? extends QuantizedMatrix> gateUp,
      List<? extends QuantizedMatrix> down,
      boolean normalise) {
    var routing = new Routing(2, normalise, Activation.SILU);
    check(
        7,
        (x, ops) ->
            ops.experts(
                x,
                MatrixLinear.withoutBias("router", List.of(router)),
                new MatrixExperts(linears(gateUp), linears(down)),
                routing),
        row -> OpsInDouble.experts(row, router, gateUp, down, routing));
  }

  private List<MemoryMatrix> matrices(int count, int rows, int cols) {
    return IntStream.range(0, count)
        .mapToObj(_ -> MemoryMatrix.random(rows, cols, random))
        .toList();
  }

  private static List<MatrixLinear> linears(List<? extends QuantizedMatrix> matrices) {
    return matrices.stream()
        .<MatrixLinear>map(matrix -> MatrixLinear.withoutBias("expert", List.of(matrix)))
        .toList();
  }

  @Test
  void softCapsSaturate() {
    check(
        31,
        (x, ops) -> ops.softCap(ops.scale(x, 10), 2),
        row -> OpsInDouble.map(row, v -> 2 * Math.tanh(10 * v / 2)));
  }

  @Test
  void splitPartsAreUsableWhereverTheyLie() {
    check(
        12,
        (x, ops) -> {
          var parts = ops.split(x, 3, 6, 3);
          return ops.add(ops.scale(parts.get(0), 2), parts.get(2));
        },
        row -> new double[] {2 * row[0] + row[9], 2 * row[1] + row[10], 2 * row[2] + row[11]});
  }

  /** A device may well compute the head for some picks at a time. */
  @Test
  void logitsOfManyPicksAreTheSameInWhateverOrderTheyAreAskedFor() {
    int vocabulary = wideVocabulary();
    int picks = 600;
    var table = MemoryMatrix.random(TOKENS, 3, random);
    var head = MatrixLinear.withoutBias("h", List.of(MemoryMatrix.random(vocabulary, 3, random)));
    var spec = new ModelSpec(3, vocabulary, 64, List.of(new KvLayer(1, 1, 1, 0)));
    try (var device = create();
        var model = device.load(new HeadedModel(table, head), spec, layout(device, picks, 1))) {
      var driver = new StepDriver(model, picks, 1, vocabulary);
      float[][] alone = new float[TOKENS][];
      for (int token = 0; token < TOKENS; token++) {
        var sequence = driver.sequence(token);
        alone[token] = driver.finish(sequence);
        driver.preempt(sequence);
      }
      driver.run(
          IntStream.range(0, picks)
              .mapToObj(pick -> new StepDriver.Chunk(driver.sequence(pick % TOKENS), 1))
              .toList());
      var ascending = IntStream.range(0, picks);
      var mixed = IntStream.of(picks - 1, 0, 300, 299, 1, picks - 1);
      float[] logits = new float[vocabulary];
      IntStream.concat(ascending, mixed)
          .forEach(pick -> {
            model.logits(pick, logits);
            requireSame(device, alone[pick % TOKENS], logits, "pick " + pick);
          });
    }
  }

  private void requireSame(Device device, float[] want, float[] got, String what) {
    if (device.batchInvariant()) {
      assertArrayEquals(want, got, what);
    } else {
      OpsInDouble.assertClose(OpsInDouble.widen(want), got, 2 * tolerance());
    }
  }
}
