package dev.millrace.testkit;

import static dev.millrace.testkit.MemoryMatrix.product;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.MatrixEmbedding;
import dev.millrace.engine.device.MatrixExperts;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.Vector;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Routing;
import dev.millrace.spi.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every device must compute: each operation against plain F64 arithmetic, on awkward sizes.
 * Extend it, say how the device is made, and the whole contract runs.
 */
public abstract class DeviceContract {
  private static final int TOKENS = 23;
  private static final int[] FORMAT_WIDTHS = {1, 15, 16, 17, 31, 32, 33, 64, 127, 128, 257};

  /** A fresh device; the contract closes it. */
  protected abstract Device create();

  /** Largest error of one operation whose results are about 1. */
  protected double tolerance() {
    return 2e-6;
  }

  /** A vocabulary so large that the device does not hold 600 rows of its logits at a time. */
  protected int wideVocabulary() {
    return 65_536;
  }

  /** What a linear makes of an activation that meets weights of a format: by default nothing. */
  protected float activation(float x, DeviceFormat weights) {
    return x;
  }

  /** What a linear makes of a decoded weight of a format: by default nothing. */
  protected float weight(float w, DeviceFormat format) {
    return w;
  }

  private final RandomGenerator random = new SplittableRandom(17);

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 31, 32, 33, 127, 128, 257})
  void embeddingsAreTheRowsOfTheTable(int width) {
    check(width, (x, _) -> x, row -> row);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 31, 32, 33, 127, 128, 257})
  void linearsMultiplyAllTheirPartsAndAddTheBias(int width) {
    var first = MemoryMatrix.random(width, width, random);
    var second = MemoryMatrix.random(3, width, random);
    float[] bias = MemoryMatrix.numbers(random, width + 3);
    var linear = new MatrixLinear("both", List.of(first, second), bias);
    check(
        width,
        linear::apply,
        row -> {
          double[] out = new double[width + 3];
          for (int i = 0; i < out.length; i++) {
            float[] weights = i < width ? first.row(i) : second.row(i - width);
            out[i] = bias[i] + product(row, weights);
          }
          return out;
        });
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void formatsOfTheirPluginsOwnMultiplyAsTheyDecode(boolean kernel) {
    var own = new OwnMatrix(MemoryMatrix.random(37, 65, random), kernel);
    check(
        65,
        MatrixLinear.withoutBias("own", List.of(own))::apply,
        row -> IntStream.range(0, 37).mapToDouble(i -> dot(row, own, i)).toArray());
  }

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.EncodedMatrix#formats")
  void everyFormatMultipliesAsItDecodes(DeviceFormat format) {
    for (int width : FORMAT_WIDTHS) {
      var matrix = EncodedMatrix.random(width + 5, width, format, random);
      var linear = MatrixLinear.withoutBias("encoded", List.of(matrix));
      check(
          width,
          linear::apply,
          row -> IntStream.range(0, width + 5).mapToDouble(i -> dot(row, matrix, i)).toArray());
    }
  }

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.EncodedMatrix#formats")
  void columnsInAnotherOrderMeetTheirInputs(DeviceFormat format) {
    for (int width : FORMAT_WIDTHS) {
      var parts =
          List.of(
              EncodedMatrix.reordered(7, width, format, random),
              EncodedMatrix.reordered(2, width, format, random));
      check(
          width,
          MatrixLinear.withoutBias("reordered", parts)::apply,
          row ->
              IntStream.range(0, 9).mapToDouble(i -> dot(row, parts.get(i / 7), i % 7)).toArray());
    }
  }

  @ParameterizedTest
  @MethodSource("dev.millrace.testkit.EncodedMatrix#formats")
  void everyFormatIsATokenTable(DeviceFormat format) {
    for (int width : FORMAT_WIDTHS) {
      check(EncodedMatrix.random(TOKENS, width, format, random), (x, _) -> x, row -> row);
    }
  }

  @Test
  void partsOfSeveralFormatsMakeOneLinear() {
    var parts =
        EncodedMatrix.formats().stream()
            .map(format -> EncodedMatrix.random(3, 65, format, random))
            .toList();
    check(
        65,
        MatrixLinear.withoutBias("mixed", parts)::apply,
        row ->
            parts.stream()
                .flatMapToDouble(part -> IntStream.range(0, 3).mapToDouble(i -> dot(row, part, i)))
                .toArray());
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
    var gateUp = matrices(5, 6, 7);
    var down = matrices(5, 7, 3);
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

  private static List<MatrixLinear> linears(List<MemoryMatrix> matrices) {
    return matrices.stream()
        .map(matrix -> MatrixLinear.withoutBias("expert", List.of(matrix)))
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

  /** The cache that operations are checked beside. */
  protected KvLayout layout(Device device, int blocks, int blockSize) {
    return new KvLayout(blocks, blockSize, device.kvDtypes().getFirst());
  }

  /** Runs a pass over rows of a random table, all at once and one by one. */
  private void check(
      int width, BiFunction<Tensor, Ops, Tensor> pass, UnaryOperator<double[]> expected) {
    var table = MemoryMatrix.random(TOKENS, width, random);
    for (int i = 0; i < table.values().length; i++) {
      table.values()[i] *= (float) Math.sqrt(width);
    }
    check(table, pass, expected);
  }

  private void check(
      QuantizedMatrix table,
      BiFunction<Tensor, Ops, Tensor> pass,
      UnaryOperator<double[]> expected) {
    int outWidth = expected.apply(new double[table.cols()]).length;
    var spec = new ModelSpec(outWidth, outWidth, 64, List.of(new KvLayer(1, 1, 1, 0)));
    try (var device = create();
        var model = device.load(new Pass(table, pass), spec, layout(device, 64, 2))) {
      var driver = new StepDriver(model, 64, 2, outWidth);
      var chunks = new ArrayList<StepDriver.Chunk>();
      for (int token = 0; token < TOKENS; token++) {
        chunks.add(new StepDriver.Chunk(driver.sequence(token), 1));
      }
      float[][] together = driver.step(chunks);
      for (int token = 0; token < TOKENS; token++) {
        float[] row = new float[table.cols()];
        table.decodeRow(token, row);
        double[] want = expected.apply(OpsInDouble.widen(row));
        OpsInDouble.assertClose(want, together[token], tolerance());
        float[] alone = driver.finish(driver.sequence(token));
        if (device.batchInvariant()) {
          assertArrayEquals(together[token], alone, "token " + token + " depends on the batch");
        }
      }
      assertEquals(TOKENS, together.length);
    }
  }

  private record Pass(QuantizedMatrix table, BiFunction<Tensor, Ops, Tensor> pass)
      implements Model {
    @Override
    public Tensor hidden(Ops ops) {
      return pass.apply(ops.embed(new MatrixEmbedding("table", table)), ops);
    }

    @Override
    public Tensor logits(Tensor rows, Ops ops) {
      return rows;
    }
  }

  private double dot(double[] a, QuantizedMatrix matrix, int row) {
    float[] weights = new float[matrix.cols()];
    matrix.decodeRow(row, weights);
    double[] activations = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      activations[i] = activation((float) a[i], matrix.format());
      weights[i] = weight(weights[i], matrix.format());
    }
    return product(activations, weights);
  }
}
