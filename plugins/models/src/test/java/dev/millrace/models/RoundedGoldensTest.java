package dev.millrace.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.cpu.InstructionSet;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.HuggingFaceCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.GoldenModel;
import dev.millrace.testkit.NativeDevices;
import dev.millrace.testkit.PlainMatrices;
import dev.millrace.testkit.StepDriver;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How far rounded activations, keys and values lead from the logits in F32: no farther than 1.3
 * times PyTorch in BF16, and than twice what was measured when {@code rounded-errors.txt} was
 * written.
 */
class RoundedGoldensTest {
  /** In the order of the file's columns. */
  private static final List<InstructionSet> SETS =
      List.of(InstructionSet.AVX512BF16, InstructionSet.AMX);

  /** Largest error of a logit, where PyTorch's own is not larger. */
  private static final double LARGEST = 0.1;

  @TempDir private Path folder;

  /**
   * Errors of logits, whose standard deviation is 1.1 to 1.2.
   *
   * @param torchRms of PyTorch 2.14.1 and transformers 5.12.1 in BF16
   * @param flips positions at which two experts are so near that another one is chosen; left out
   */
  record Errors(
      String model,
      double torchMax,
      double torchRms,
      InstructionSet set,
      double max,
      double rms,
      int flips) {
    /** Of a line: what PyTorch errs, then what each set does. */
    static Stream<Errors> of(String line) {
      String[] words = line.split(" ", -1);
      return IntStream.range(0, SETS.size())
          .mapToObj(i ->
              new Errors(
                  words[0],
                  Double.parseDouble(words[1]),
                  Double.parseDouble(words[2]),
                  SETS.get(i),
                  Double.parseDouble(words[3 + 3 * i]),
                  Double.parseDouble(words[4 + 3 * i]),
                  Integer.parseInt(words[5 + 3 * i])));
    }
  }

  static List<Errors> measured() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(
            RoundedGoldensTest.class.getResourceAsStream("/numerics/rounded-errors.txt"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .flatMap(Errors::of)
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("measured")
  void errorsStayWithinThoseOfPyTorch(Errors known) throws IOException {
    var golden = Goldens.read(known.model());
    float[][] found = logits(golden, known.set());
    double[][] rows =
        IntStream.range(0, found.length)
            .mapToObj(i -> errors(golden.logits()[i], found[i]))
            .sorted(Comparator.comparingDouble(row -> Arrays.stream(row).max().orElse(0)))
            .limit(found.length - known.flips())
            .toArray(double[][]::new);
    double max = Arrays.stream(rows).flatMapToDouble(Arrays::stream).max().orElseThrow();
    double squares =
        Arrays.stream(rows).flatMapToDouble(Arrays::stream).map(e -> e * e).average().orElseThrow();
    double rms = Math.sqrt(squares);
    String what =
        String.format(Locale.ROOT, "%s %s max %.4f rms %.5f", known.set(), known.model(), max, rms);
    assertTrue(rms <= 1.3 * known.torchRms(), what);
    assertTrue(max <= Math.max(LARGEST, known.torchMax()), what);
    assertTrue(max <= 2 * known.max() && rms <= 2 * known.rms(), what);
  }

  private static double[] errors(float[] want, float[] got) {
    return IntStream.range(0, want.length).mapToDouble(i -> Math.abs(want[i] - got[i])).toArray();
  }

  private float[][] logits(GoldenModel golden, InstructionSet set) throws IOException {
    golden.write(folder, golden.config(), DType.BF16);
    var config = JsonModelConfig.open(folder);
    var plugin = Goldens.plugin(config.modelType());
    var spec = plugin.describe(config);
    try (var device = NativeDevices.open(set, 2);
        var source = HuggingFaceCheckpoint.open(folder)) {
      var weights = new CheckpointWeights(source, List.of(new PlainMatrices()), DtypeChoice.AUTO);
      var model = plugin.load(spec, config, weights);
      var dtype = device.kvDtype(model, spec);
      assertEquals(KvDtype.BFLOAT16, dtype);
      try (var loaded = device.load(model, spec, new KvLayout(16, 16, dtype))) {
        var driver = new StepDriver(loaded, 16, 16, spec.vocabulary());
        return driver.finishEach(driver.sequence(golden.prompt()));
      }
    }
  }
}
