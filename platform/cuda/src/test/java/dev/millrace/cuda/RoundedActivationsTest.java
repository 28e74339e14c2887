package dev.millrace.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.cpu.ReferenceDevice;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.DummyCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
import dev.millrace.testkit.EncodedMatrix;
import dev.millrace.testkit.PlainMatrices;
import dev.millrace.testkit.StepDriver;
import dev.millrace.testkit.StepDriver.Chunk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Steps with BF16 activations, on the kernels for tensor cores, beside F32 on the reference:
 * prompts whole and in chunks, decoding alone and beside a prompt, by launches and by graphs.
 */
@Tag("emulated")
class RoundedActivationsTest {
  private static final int BLOCKS = 64;
  private static final int BLOCK_SIZE = 16;
  private static final int VOCABULARY = 96;

  /** Root mean square of the errors, of that of the logits. */
  private static final double TOLERANCE = 0.02;

  /** The same for larger weights, of which unpacked ones are rounded too. */
  private static final double CODES_TOLERANCE = 0.04;

  @TempDir private Path folder;
  private PlainMatrices matrices = new PlainMatrices();

  @ParameterizedTest
  @CsvSource({"4, 2, 64, 0", "8, 1, 128, 0", "2, 2, 64, 24", "3, 1, 32, 0"})
  void logitsAreThoseOfExactArithmetic(int heads, int kvHeads, int headDim, int window)
      throws IOException {
    write(heads, kvHeads, headDim, window);
    logitsAreExactTo(TOLERANCE);
  }

  private void logitsAreExactTo(double tolerance) throws IOException {
    float[][] expected =
        logits(new ReferenceDevice(1), KvDtype.FLOAT32, RoundedActivationsTest::talk);
    float[][] found =
        logits(SimulatedDriver.device(false), KvDtype.BFLOAT16, RoundedActivationsTest::talk);
    check(expected, found, tolerance);
    SimulatedDriver.requireEmpty();
  }

  @ParameterizedTest
  @CsvSource({"4, 2, 64, 0", "3, 1, 32, 0"})
  void batchInvarianceCanBeHad(int heads, int kvHeads, int headDim, int window) throws IOException {
    write(heads, kvHeads, headDim, window);
    float[][] whole =
        logits(SimulatedDriver.device(true), KvDtype.BFLOAT16, driver -> prompt(driver, 70));
    float[][] cut =
        logits(SimulatedDriver.device(true), KvDtype.BFLOAT16, driver -> prompt(driver, 1));
    assertArrayEquals(whole[0], cut[0]);
  }

  @ParameterizedTest
  @CsvSource({"32, false", "128, true"})
  void batchInvarianceCanBeHadOfCodes(int group, boolean zeros) throws IOException {
    matrices = new Codes(new DeviceFormat.Int4(group, zeros));
    batchInvarianceCanBeHad(4, 2, 64, 0);
  }

  static List<DeviceFormat> codes() {
    return List.of(
        new DeviceFormat.Int4(32, false),
        new DeviceFormat.Int4(128, true),
        new DeviceFormat.Code4(64),
        new DeviceFormat.Code4(128),
        new DeviceFormat.Int8(64, false),
        new DeviceFormat.Int8(0, true),
        new DeviceFormat.Int8(32, true, ScaleType.TWO_LEVEL),
        new DeviceFormat.Fp8(0, 0),
        new DeviceFormat.Fp8(128, 128),
        new DeviceFormat.Fp8(3, 48));
  }

  /** Weights as codes: for few rows read as they lie, for 70 unpacked; parts of 600 columns. */
  @ParameterizedTest
  @MethodSource("codes")
  void codesAreReadAsTheyDecode(DeviceFormat format) throws IOException {
    matrices = new Codes(format);
    // rows of bytes begin at multiples of 16
    int more =
        switch (format) {
          case DeviceFormat.Int4 _, DeviceFormat.Code4 _ -> 0;
          default -> 8;
        };
    write(4, 2, 64, 0, 72 + more, 600 + more);
    logitsAreExactTo(CODES_TOLERANCE);
  }

  /** Those of a linear have one order and lie together; of an MLP, too. */
  @ParameterizedTest
  @MethodSource("ordered")
  void inputsAreReorderedForCodes(DeviceFormat format) throws IOException {
    matrices = new Codes(format, true);
    write(4, 2, 64, 0, 80, 608);
    logitsAreExactTo(CODES_TOLERANCE);
  }

  static List<DeviceFormat> ordered() {
    return List.of(new DeviceFormat.Int4(128, true), new DeviceFormat.Int8(32, false));
  }

  /** An order that depends on the number of columns alone. */
  private static int[] order(int cols) {
    return IntStream.range(0, cols).map(i -> (7 * i + 3) % cols).toArray();
  }

  /** Random matrices in a format instead of the checkpoint's, but for the embedding. */
  private static final class Codes extends PlainMatrices {
    private final DeviceFormat format;
    private final boolean reordered;

    Codes(DeviceFormat format) {
      this(format, false);
    }

    Codes(DeviceFormat format, boolean reordered) {
      this.format = format;
      this.reordered = reordered;
    }

    @Override
    public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
      var plain = super.read(matrix, checkpoint);
      if (!matrix.endsWith("_proj")) {
        return plain;
      }
      var codes =
          EncodedMatrix.random(
              plain.rows(), plain.cols(), format, new SplittableRandom(matrix.hashCode()));
      return reordered ? EncodedMatrix.inOrder(codes, order(codes.cols())) : codes;
    }
  }

  private void write(int heads, int kvHeads, int headDim, int window) throws IOException {
    write(heads, kvHeads, headDim, window, 72, 200);
  }

  private void write(int heads, int kvHeads, int headDim, int window, int hidden, int intermediate)
      throws IOException {
    var config = new ObjectMapper().createObjectNode();
    config.put("model_type", "llama").put("hidden_act", "silu").put("rms_norm_eps", 1e-5);
    config.put("hidden_size", hidden).put("intermediate_size", intermediate);
    config.put("num_hidden_layers", 2);
    config.put("num_attention_heads", heads).put("num_key_value_heads", kvHeads);
    config.put("head_dim", headDim).put("max_position_embeddings", 256);
    config.put("vocab_size", VOCABULARY).put("tie_word_embeddings", true).put("rope_theta", 1e4);
    config.put("initializer_range", 0.02);
    if (window > 0) {
      config.put("model_type", "mistral").put("sliding_window", window);
    }
    Files.writeString(folder.resolve("config.json"), config.toString());
  }

  private float[][] logits(Device device, KvDtype dtype, Function<StepDriver, List<float[]>> body)
      throws IOException {
    var config = JsonModelConfig.open(folder);
    var plugin = CudaModelsTest.plugin(config.modelType());
    var spec = plugin.describe(config);
    try (device;
        var source = new DummyCheckpoint(config, 1)) {
      var weights = new CheckpointWeights(source, List.of(matrices), DtypeChoice.AUTO);
      var model = plugin.load(spec, config, weights);
      try (DeviceModel loaded = device.load(model, spec, new KvLayout(BLOCKS, BLOCK_SIZE, dtype))) {
        return body.apply(new StepDriver(loaded, BLOCKS, BLOCK_SIZE, VOCABULARY))
            .toArray(float[][]::new);
      }
    }
  }

  private static int[] tokens(int count, int seed) {
    int[] tokens = new int[count];
    Arrays.setAll(tokens, i -> (i * 31 + seed * 17 + 5) % VOCABULARY);
    return tokens;
  }

  /** A prompt of 70 tokens, cut into its last rows and those before. */
  private static List<float[]> prompt(StepDriver driver, int last) {
    var sequence = driver.sequence(tokens(70, 1));
    if (last < 70) {
      driver.step(List.of(new Chunk(sequence, 70 - last)));
    }
    return List.of(driver.finish(sequence));
  }

  /** Two prompts, a third one beside their next tokens, then five steps of all. */
  private static List<float[]> talk(StepDriver driver) {
    var out = new ArrayList<float[]>();
    var sequences = new ArrayList<Sequence>();
    sequences.add(driver.sequence(tokens(70, 1)));
    sequences.add(driver.sequence(tokens(9, 2)));
    out.addAll(List.of(driver.finishEach(sequences.getFirst())));
    out.add(driver.finish(sequences.getLast()));
    sequences.forEach(sequence -> sequence.append(7));
    var third = driver.sequence(tokens(23, 3));
    out.addAll(
        List.of(
            driver.step(
                List.of(
                    new Chunk(sequences.getFirst(), 1),
                    new Chunk(third, 23),
                    new Chunk(sequences.getLast(), 1)))));
    sequences.add(third);
    for (int step = 0; step < 5; step++) {
      int token = 11 + step;
      sequences.forEach(sequence -> sequence.append(token));
      var chunks = sequences.stream().map(sequence -> new Chunk(sequence, 1)).toList();
      out.addAll(List.of(driver.step(chunks)));
    }
    return out;
  }

  private static void check(float[][] expected, float[][] found, double tolerance) {
    for (int row = 0; row < expected.length; row++) {
      double errors = 0;
      double squares = 0;
      for (int i = 0; i < VOCABULARY; i++) {
        errors += Math.pow(found[row][i] - expected[row][i], 2);
        squares += Math.pow(expected[row][i], 2);
      }
      double part = Math.sqrt(errors / squares);
      assertTrue(part <= tolerance, "row " + row + " of " + expected.length + ": " + part);
    }
  }
}
