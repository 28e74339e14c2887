package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.cpu.CpuDevices;
import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.engine.device.cpu.LinearActivations;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.HuggingFaceCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.GoldenModel;
import dev.millrace.testkit.NativeDevices;
import dev.millrace.testkit.StepDriver;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How far activations of 8 bits lead from the logits that exact kernels give with the same
 * quantized weights: no farther than twice what {@code quantized-activations-errors.txt} says.
 */
class QuantizedActivationsTest {
  private static final Path MODELS = Path.of("../models/src/test/resources/numerics");

  /** Bounds for logits whose standard deviation is 1. */
  private static final double LARGEST = 0.15;

  private static final double RMS = 0.03;

  @TempDir private Path folder;

  /**
   * Errors of logits, as parts of their standard deviation.
   *
   * @param flips positions where two experts are so near that another one is chosen, there or
   *     before; as many are left out, those with the largest errors
   */
  record Errors(String model, String format, double max, double rms, int flips) {
    static Errors of(String line) {
      String[] words = line.split(" ", -1);
      return new Errors(
          words[0],
          words[1],
          Double.parseDouble(words[2]),
          Double.parseDouble(words[3]),
          Integer.parseInt(words[4]));
    }

    QuantizationPlugin plugin() {
      return switch (format) {
        case "int8" -> new Int8Plugin();
        case "int4" -> new Int4Plugin();
        default -> throw new IllegalArgumentException(format);
      };
    }
  }

  static List<Errors> measured() throws IOException {
    String name = "quantized-activations-errors.txt";
    try (var in = QuantizedActivationsTest.class.getResourceAsStream(name)) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(Errors::of)
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("measured")
  void errorsStaySmall(Errors known) throws IOException {
    var golden = GoldenModel.read(MODELS, known.model());
    golden.write(folder, golden.config(), DType.BF16);
    float[][] want = logits(golden, known.plugin(), CpuDevices.exact(2));
    var device = NativeDevices.open(InstructionSet.AVX512BF16, LinearActivations.INT8, 2);
    float[][] got = logits(golden, known.plugin(), device);
    double deviation = rootMeanSquare(want);
    double[][] rows =
        IntStream.range(0, want.length)
            .mapToObj(i -> errors(want[i], got[i], deviation))
            .sorted((a, b) -> Double.compare(largest(a), largest(b)))
            .limit(want.length - known.flips())
            .toArray(double[][]::new);
    double max =
        Arrays.stream(rows).mapToDouble(QuantizedActivationsTest::largest).max().orElseThrow();
    double rms =
        Math.sqrt(
            Arrays.stream(rows)
                .flatMapToDouble(Arrays::stream)
                .map(e -> e * e)
                .average()
                .orElseThrow());
    String what =
        String.format(
            Locale.ROOT, "%s %s max %.4f rms %.5f", known.model(), known.format(), max, rms);
    assertTrue(max <= LARGEST && rms <= RMS, what);
    assertTrue(max <= 2 * known.max() && rms <= 2 * known.rms(), what);
  }

  private static double largest(double[] errors) {
    return Arrays.stream(errors).max().orElseThrow();
  }

  private static double rootMeanSquare(float[][] logits) {
    double squares = 0;
    long count = 0;
    for (float[] row : logits) {
      for (float logit : row) {
        squares += (double) logit * logit;
        count++;
      }
    }
    return Math.sqrt(squares / count);
  }

  private static double[] errors(float[] want, float[] got, double deviation) {
    return IntStream.range(0, want.length)
        .mapToDouble(i -> Math.abs(want[i] - got[i]) / deviation)
        .toArray();
  }

  private float[][] logits(GoldenModel golden, QuantizationPlugin quantizer, Device device)
      throws IOException {
    var config = JsonModelConfig.open(folder);
    var family =
        ServiceLoader.load(ModelPlugin.class).stream()
            .map(ServiceLoader.Provider::get)
            .filter(plugin -> plugin.architectures().contains(config.modelType()))
            .findFirst()
            .orElseThrow();
    var spec = family.describe(config);
    try (device;
        var source = HuggingFaceCheckpoint.open(folder)) {
      var weights =
          new CheckpointWeights(source, List.of(quantizer, new NonePlugin()), DtypeChoice.AUTO);
      var model = family.load(spec, config, weights);
      var layout = new KvLayout(16, 16, device.kvDtype(model, spec));
      try (var loaded = device.load(model, spec, layout)) {
        var driver = new StepDriver(loaded, 16, 16, spec.vocabulary());
        return driver.finishEach(driver.sequence(golden.prompt()));
      }
    }
  }
}
