package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.testkit.MemoryCheckpoint;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CompressedTensorsPluginTest {
  private static final String MATRIX = "model.layers.0.mlp.up_proj";

  private final CompressedTensorsPlugin plugin = new CompressedTensorsPlugin();

  @ParameterizedTest
  @ValueSource(strings = {"ct_pack_w4_sym", "ct_pack_w4_asym", "ct_pack_w8_sym", "ct_pack_w3_sym"})
  void everyWorkedExampleDecodesToTheLastBit(String name) throws IOException {
    var example = Examples.get(name);
    int rows = example.get("weight_shape").get(0).intValue();
    int cols = example.get("weight_shape").get(1).intValue();
    var packed = example.get("weight_packed_int32");
    int size = example.get("group_size").intValue();
    boolean symmetric = example.get("symmetric").booleanValue();
    var checkpoint =
        new MemoryCheckpoint()
            .bytes(
                MATRIX + ".weight_packed",
                DType.I32,
                List.of(rows, packed.get(0).size()),
                Examples.words(packed))
            .bytes(
                MATRIX + ".weight_shape", DType.I64, List.of(2), CompressedSample.longs(rows, cols))
            .floats(
                MATRIX + ".weight_scale",
                DType.BF16,
                List.of(rows, cols / size),
                Examples.floats(example.get("weight_scale")))
            .quantization(
                CompressedSample.config(
                    "pack-quantized",
                    Map.of(
                        "num_bits",
                        example.get("num_bits").intValue(),
                        "strategy",
                        "group",
                        "group_size",
                        size,
                        "symmetric",
                        symmetric)));
    if (!symmetric) {
      var zeros = example.get("weight_zero_point_packed_int32");
      checkpoint.bytes(
          MATRIX + ".weight_zero_point",
          DType.I32,
          List.of(zeros.size(), cols / size),
          Examples.words(zeros));
    }
    assertTrue(plugin.accepts(MATRIX, checkpoint));
    Examples.assertWeights(example.get("weight"), plugin.read(MATRIX, checkpoint));
  }

  @ParameterizedTest
  @CsvSource({
    "4, 128, true, INT4 128",
    "4, 32, false, INT4 32 zeros",
    "4, 256, true, INT4 128",
    "3, 64, true, INT4 64",
    "2, 64, false, INT4 64",
    "5, 64, false, INT8 64",
    "6, 32, true, INT8 32",
    "7, 256, false, INT8 0",
    "8, 128, false, INT8 128 zeros"
  })
  void packedIntegersBecomeTheNarrowestFormat(
      int bits, int size, boolean symmetric, String expected) {
    var sample = sample(bits, size, symmetric, false);
    var matrix =
        plugin.read(
            MATRIX,
            packed(sample, symmetric, false, new CompressedSample(sample, symmetric).weights()));
    assertEquals(expected, GptqPluginTest.name(matrix.format()));
    GptqPluginTest.assertDecodes(sample, matrix);
  }

  @Test
  void wordsOfWholeNumbersAreReadToo() {
    var sample = sample(3, 64, true, false);
    int[][] padded = new int[32][26 * 32];
    for (int row = 0; row < 32; row++) {
      for (int i = 0; i < 256; i++) {
        for (int bit = 0; bit < 3; bit++) {
          padded[row][i / 10 * 32 + i % 10 * 3 + bit] = sample.codes()[row][i] >> bit & 1;
        }
      }
    }
    var checkpoint =
        packed(sample, true, false, new CompressedSample(sample, true).weights())
            .bytes(
                MATRIX + ".weight_packed",
                DType.I32,
                List.of(32, 26),
                IntegerSample.streams(padded, 1));
    GptqPluginTest.assertDecodes(sample, plugin.read(MATRIX, checkpoint));
  }

  @Test
  void actOrderIsAnInputOrder() {
    var sample = sample(4, 64, true, true);
    var weights = new CompressedSample(sample, true).weights();
    weights.put("actorder", "group");
    var matrix = plugin.read(MATRIX, packed(sample, true, true, weights));
    assertEquals(256, matrix.inputOrder().length);
    GptqPluginTest.assertDecodes(sample, matrix);
  }

  @ParameterizedTest
  @CsvSource({"256, true", "64, false"})
  void signedBytesStayBytes(int size, boolean symmetric) {
    var sample = sample(8, size, symmetric, false);
    var layout = new CompressedSample(sample, symmetric);
    var checkpoint =
        layout
            .bytes(MATRIX, new MemoryCheckpoint())
            .quantization(CompressedSample.config("int-quantized", layout.weights()));
    assertTrue(plugin.accepts(MATRIX, checkpoint));
    var matrix = plugin.read(MATRIX, checkpoint);
    assertEquals(new DeviceFormat.Int8(size == 256 ? 0 : size, true), matrix.format());
    GptqPluginTest.assertDecodes(sample, matrix);
  }

  @ParameterizedTest
  @CsvSource({
    "tensor, 200, 300, FP8 0 0",
    "channel, 1, 300, FP8 1 0",
    "group, 1, 48, FP8 1 48",
    "block, 128, 128, FP8 128 128"
  })
  void floatsHaveScalesOfEveryStrategy(
      String strategy, int blockRows, int blockCols, String expected) {
    float[] numbers = new float[200 * 300];
    var random = new SplittableRandom(5);
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    var sample = Fp8Sample.of(200, 300, numbers, blockRows, blockCols);
    var weights = new HashMap<String, Object>();
    weights.put("num_bits", 8);
    weights.put("type", "float");
    weights.put("strategy", strategy);
    weights.put("group_size", strategy.equals("group") ? blockCols : -1);
    weights.put("block_structure", List.of(blockRows, blockCols));
    var shape = List.of(sample.scales().length, sample.scales()[0].length);
    var checkpoint =
        sample
            .write(MATRIX, "weight_scale", shape, new MemoryCheckpoint())
            .quantization(CompressedSample.config("float-quantized", weights));
    var matrix = plugin.read(MATRIX, checkpoint);
    assertEquals(expected, GptqPluginTest.name(matrix.format()));
    Fp8PluginTest.assertDecodes(sample.weights(), matrix);
  }

  @Test
  void targetsByNameComeBeforeThoseByClass() {
    var sample = sample(4, 64, true, false);
    var weights = new CompressedSample(sample, true).weights();
    var config = CompressedSample.config("pack-quantized", Map.of("num_bits", 8));
    config.put(
        "config_groups",
        Map.of(
            "group_0",
            Map.of("targets", List.of("Linear"), "weights", Map.of("num_bits", 8)),
            "group_1",
            Map.of("targets", List.of("re:.*up_proj$"), "weights", weights)));
    var checkpoint =
        new CompressedSample(sample, true)
            .packed(MATRIX, false, new MemoryCheckpoint())
            .quantization(config);
    GptqPluginTest.assertDecodes(sample, plugin.read(MATRIX, checkpoint));
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.layers.0.mlp.up_proj", "re:.*mlp"})
  void whatIsIgnoredMustNotBeQuantized(String ignored) {
    var checkpoint = sound();
    var config = soundConfig();
    config.put("ignore", List.of(ignored));
    refused(
        ErrorCode.INVALID_CHECKPOINT, MATRIX + ".weight_packed", checkpoint.quantization(config));
  }

  @Test
  void whatNoTargetNamesMustNotBeQuantized() {
    var config = soundConfig();
    config.put("config_groups", Map.of("group_0", Map.of("targets", List.of("re:.*down_proj"))));
    refused(ErrorCode.INVALID_CHECKPOINT, MATRIX + ".weight_packed", sound().quantization(config));
  }

  /** A token table is no linear, even if it is stored like one. */
  @Test
  void targetsAreOfAClass() {
    var sample = sample(4, 64, true, false);
    var table = new CompressedSample(sample, true);
    var checkpoint = table.packed("model.embed_tokens", false, new MemoryCheckpoint());
    for (String target : List.of("Linear", "Embedding")) {
      var group = Map.of("targets", List.of(target), "weights", table.weights());
      checkpoint.quantization(
          Map.of("format", "pack-quantized", "config_groups", Map.of("group_0", group)));
      if (target.equals("Linear")) {
        var error =
            assertThrows(
                InferenceException.class, () -> plugin.read("model.embed_tokens", checkpoint));
        assertTrue(error.toString().contains("no config group's targets have"), error::toString);
      } else {
        GptqPluginTest.assertDecodes(sample, plugin.read("model.embed_tokens", checkpoint));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"marlin-24", "nvfp4-pack-quantized", "sparse-bitmask", "dense"})
  void formatsThatAreNotReadAreRefusedByName(String format) {
    var config = soundConfig();
    config.put("format", format);
    refused(ErrorCode.UNSUPPORTED_QUANTIZATION, format, sound().quantization(config));
  }

  @Test
  void sparseCheckpointsAreRefused() {
    var config = soundConfig();
    config.put("sparsity_config", Map.of("format", "sparse-24-bitmask"));
    refused(ErrorCode.UNSUPPORTED_QUANTIZATION, "sparse-24-bitmask", sound().quantization(config));
  }

  @ParameterizedTest
  @CsvSource({
    "num_bits, 8, .weight_packed",
    "group_size, 32, .weight_scale",
    "strategy, channel, .weight_scale",
    "symmetric, false, .weight_zero_point"
  })
  void whatTheTensorsDenyIsRefused(String key, String value, String tensor) {
    var sample = sample(4, 64, true, false);
    var weights = new CompressedSample(sample, true).weights();
    Object set = value.equals("false") ? false : value;
    weights.put(key, value.matches("\\d+") ? Integer.valueOf(value) : set);
    var error =
        assertThrows(
            InferenceException.class,
            () -> plugin.read(MATRIX, packed(sample, true, false, weights)));
    assertTrue(error.toString().contains(MATRIX + tensor), error.toString());
  }

  @Test
  void aShapeThatIsNoneIsRefused() {
    for (long[] shape : new long[][] {{32, 255 * 8}, {31, 256}, {32, -1}, {32, 1L << 40}}) {
      refused(
          ErrorCode.BAD_SHAPE,
          MATRIX + ".weight_",
          sound()
              .bytes(
                  MATRIX + ".weight_shape", DType.I64, List.of(2), CompressedSample.longs(shape)));
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {0, Float.NaN, Float.NEGATIVE_INFINITY})
  void scalesThatAreWrongAreRefused(float scale) {
    var sample = sample(4, 64, true, false);
    sample.scales()[3][1] = scale;
    refused(
        ErrorCode.INVALID_CHECKPOINT,
        MATRIX + ".weight_scale",
        packed(sample, true, false, new CompressedSample(sample, true).weights()));
  }

  private static MemoryCheckpoint packed(
      IntegerSample sample, boolean symmetric, boolean withIndex, Map<String, Object> weights) {
    return new CompressedSample(sample, symmetric)
        .packed(MATRIX, withIndex, new MemoryCheckpoint())
        .quantization(CompressedSample.config("pack-quantized", weights));
  }

  private static MemoryCheckpoint sound() {
    var sample = sample(4, 64, true, false);
    return packed(sample, true, false, new CompressedSample(sample, true).weights());
  }

  private static Map<String, Object> soundConfig() {
    return CompressedSample.config(
        "pack-quantized", new CompressedSample(sample(4, 64, true, false), true).weights());
  }

  private static IntegerSample sample(int bits, int size, boolean symmetric, boolean scattered) {
    float[] weights = new float[32 * 256];
    var random = new SplittableRandom(5);
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    int[] index = scattered ? IntegerSample.scattered(256, size) : IntegerSample.inOrder(256, size);
    return IntegerSample.of(bits, 32, weights, index, symmetric);
  }

  private void refused(ErrorCode code, String named, MemoryCheckpoint checkpoint) {
    var error = assertThrows(InferenceException.class, () -> plugin.read(MATRIX, checkpoint));
    assertTrue(String.valueOf(error.getMessage()).contains(named), error.toString());
    assertEquals(code, error.code(), error.toString());
  }
}
