package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.testkit.MemoryCheckpoint;
import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GptqPluginTest {
  private static final String MATRIX = "model.layers.0.mlp.up_proj";

  private final GptqPlugin plugin = new GptqPlugin();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "gptq4_one_group",
        "gptq4_v2_one_group",
        "gptq4_sym",
        "gptq4_two_groups",
        "gptq4_desc_act",
        "gptq8_one_group",
        "gptq2_one_group",
        "gptq4_32x32_desc_act",
        "gptq3_one_group"
      })
  void everyWorkedExampleDecodesToTheLastBit(String name) throws IOException {
    var example = Examples.get(name);
    int bits = example.get("bits").intValue();
    int inputs = example.get("in_features").intValue();
    int outputs = example.get("out_features").intValue();
    int groups = example.get("scales_GxN").size();
    var checkpoint =
        new MemoryCheckpoint()
            .bytes(
                MATRIX + ".qweight",
                DType.I32,
                List.of(inputs * bits / 32, outputs),
                Examples.words(example.get("qweight_int32")))
            .bytes(
                MATRIX + ".qzeros",
                DType.I32,
                List.of(groups, outputs * bits / 32),
                Examples.words(example.get("qzeros_int32")))
            .floats(
                MATRIX + ".scales",
                DType.F16,
                List.of(groups, outputs),
                Examples.floats(example.get("scales_GxN")))
            .bytes(
                MATRIX + ".g_idx", DType.I32, List.of(inputs), Examples.words(example.get("g_idx")))
            .quantization(
                Map.of(
                    "quant_method",
                    "gptq",
                    "bits",
                    bits,
                    "group_size",
                    inputs / groups,
                    "desc_act",
                    name.contains("desc_act"),
                    "sym",
                    example.get("sym").booleanValue(),
                    "checkpoint_format",
                    example.get("checkpoint_format").textValue()));
    assertTrue(plugin.accepts(MATRIX, checkpoint));
    Examples.assertWeights(example.get("weight_out_x_in"), plugin.read(MATRIX, checkpoint));
  }

  @ParameterizedTest
  @CsvSource({
    "4, 128, true, INT4 128",
    "4, 64, false, INT4 64 zeros",
    "4, 32, false, INT4 32 zeros",
    "4, 16, true, INT4 16",
    "4, 256, true, INT4 128",
    "4, -1, true, INT4 128",
    "3, 128, false, INT4 128",
    "2, 64, false, INT4 64",
    "8, 128, false, INT8 128 zeros",
    "8, -1, true, INT8 0 zeros",
    "4, 8, true, F32",
    "4, 24, true, F32"
  })
  void bitsAndGroupsDecideTheFormat(int bits, int size, boolean symmetric, String expected) {
    var sample = sample(bits, size, symmetric, false);
    var matrix = read(sample, config(bits, size, false, symmetric), false);
    assertEquals(expected, name(matrix.format()));
    assertEquals(0, matrix.inputOrder().length);
    assertDecodes(sample, matrix);
  }

  @ParameterizedTest
  @CsvSource({"4, 32, true", "4, 64, false", "3, 32, true", "8, 128, false", "2, 16, false"})
  void actOrderIsAnInputOrder(int bits, int size, boolean symmetric) {
    var sample = sample(bits, size, symmetric, true);
    var matrix = read(sample, config(bits, size, true, symmetric), true);
    assertEquals(256, matrix.inputOrder().length);
    assertDecodes(sample, matrix);
  }

  @Test
  void groupsOfUnlikeSizesBecomeWide() {
    int[] index = IntegerSample.inOrder(256, 64);
    index[0] = 1;
    var sample = IntegerSample.of(4, 32, weights(), index, true);
    var matrix = read(sample, config(4, 64, true, true), true);
    assertEquals(new DeviceFormat.F32(), matrix.format());
    assertDecodes(sample, matrix);
  }

  @Test
  void theFirstPatternThatFitsOverrides() {
    var config = config(4, 64, false, true);
    var dynamic = new LinkedHashMap<String, Object>();
    dynamic.put("-:.*\\.down_proj", Map.of());
    dynamic.put("+:model\\.layers\\.0\\.mlp", Map.of("bits", 8, "group_size", 32));
    dynamic.put(".*", Map.of("bits", 2));
    config.put("dynamic", dynamic);
    var matrix = read(sample(8, 32, true, false), config, false);
    assertEquals("INT8 32 zeros", name(matrix.format()));
    dynamic.put("-:.*\\.up_proj", Map.of());
    dynamic.remove("+:model\\.layers\\.0\\.mlp");
    dynamic.remove(".*");
    refused(
        ErrorCode.INVALID_CHECKPOINT,
        MATRIX + ".qweight",
        checkpoint(sample(4, 64, true, false), config, false));
  }

  @Test
  void aHeadIsQuantizedIfItIsSaidToBe() {
    var config = config(4, 64, false, true);
    var checkpoint =
        sample(4, 64, true, false)
            .gptq("lm_head", false, true, new MemoryCheckpoint().quantization(config));
    var error = assertThrows(InferenceException.class, () -> plugin.read("lm_head", checkpoint));
    assertTrue(error.toString().contains("lm_head.qweight"), error.toString());
    config.put("lm_head", true);
    checkpoint.quantization(config);
    assertEquals(32, plugin.read("lm_head", checkpoint).rows());
  }

  @ParameterizedTest
  @CsvSource({
    "bits, 5, bits of 5",
    "bits, 16, bits of 16",
    "group_size, 0, group_size of 0",
    "checkpoint_format, marlin, marlin",
    "checkpoint_format, bitblas, bitblas",
    "checkpoint_format, gptq_p, gptq_p"
  })
  void layoutsThatAreNotReadAreRefusedByName(String key, String value, String named) {
    var config = config(4, 64, false, true);
    config.put(key, value.matches("\\d+") ? Integer.valueOf(value) : value);
    refused(
        ErrorCode.UNSUPPORTED_QUANTIZATION,
        named,
        checkpoint(sample(4, 64, true, false), config, true));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 8})
  void bitsThatTheTensorsDenyAreRefused(int bits) {
    refused(
        ErrorCode.BAD_SHAPE,
        MATRIX + ".q",
        checkpoint(sample(4, 64, true, false), config(bits, -1, false, true), false));
  }

  @Test
  void groupsThatTheTensorsDenyAreRefused() {
    refused(
        ErrorCode.BAD_SHAPE,
        MATRIX + ".qzeros",
        checkpoint(sample(4, 64, true, false), config(4, 32, false, true), true));
  }

  @Test
  void zerosThatSymDeniesAreRefused() {
    refused(
        ErrorCode.INVALID_CHECKPOINT,
        MATRIX + ".qzeros",
        checkpoint(sample(4, 64, false, false), config(4, 64, false, true), true));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 4, Integer.MAX_VALUE})
  void anIndexOutOfRangeIsRefused(int group) {
    var sample = sample(4, 64, true, false);
    sample.index()[5] = group;
    refused(
        ErrorCode.INVALID_CHECKPOINT,
        MATRIX + ".g_idx",
        checkpoint(sample, config(4, 64, true, true), true));
  }

  @Test
  void anIndexThatDescActDeniesIsRefused() {
    refused(
        ErrorCode.INVALID_CHECKPOINT,
        MATRIX + ".g_idx",
        checkpoint(sample(4, 64, true, true), config(4, 64, false, true), true));
  }

  @Test
  void aMissingIndexIsRefused() {
    refused(
        ErrorCode.MISSING_TENSOR,
        MATRIX + ".g_idx",
        checkpoint(sample(4, 64, true, true), config(4, 64, true, true), false));
  }

  @ParameterizedTest
  @ValueSource(floats = {0, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void scalesThatAreWrongAreRefused(float scale) {
    var sample = sample(4, 64, true, false);
    sample.scales()[3][1] = scale;
    refused(
        ErrorCode.INVALID_CHECKPOINT,
        MATRIX + ".scales",
        checkpoint(sample, config(4, 64, false, true), true));
  }

  @Test
  void plainMatricesAreLeftToOthers() {
    var checkpoint =
        new MemoryCheckpoint().floats(MATRIX + ".weight", DType.F32, List.of(1, 2), 1, 2);
    assertFalse(plugin.accepts(MATRIX, checkpoint));
  }

  private static float[] weights() {
    var random = new SplittableRandom(5);
    float[] weights = new float[32 * 256];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    return weights;
  }

  private static IntegerSample sample(int bits, int size, boolean symmetric, boolean scattered) {
    int group = size == -1 ? 256 : size;
    int[] index =
        scattered ? IntegerSample.scattered(256, group) : IntegerSample.inOrder(256, group);
    return IntegerSample.of(bits, 32, weights(), index, symmetric);
  }

  private static Map<String, Object> config(
      int bits, int groupSize, boolean actOrder, boolean symmetric) {
    return new HashMap<>(
        Map.of(
            "quant_method",
            "gptq",
            "bits",
            bits,
            "group_size",
            groupSize,
            "desc_act",
            actOrder,
            "sym",
            symmetric));
  }

  private static MemoryCheckpoint checkpoint(
      IntegerSample sample, Map<String, Object> config, boolean withIndex) {
    return sample.gptq(MATRIX, false, withIndex, new MemoryCheckpoint().quantization(config));
  }

  private QuantizedMatrix read(
      IntegerSample sample, Map<String, Object> config, boolean withIndex) {
    return plugin.read(MATRIX, checkpoint(sample, config, withIndex));
  }

  private void refused(ErrorCode code, String named, MemoryCheckpoint checkpoint) {
    var error = assertThrows(InferenceException.class, () -> plugin.read(MATRIX, checkpoint));
    assertTrue(String.valueOf(error.getMessage()).contains(named), error.toString());
    assertEquals(code, error.code(), error.toString());
  }

  static void assertDecodes(IntegerSample sample, QuantizedMatrix matrix) {
    float[] all = new float[matrix.rows() * matrix.cols()];
    float[] row = new float[matrix.cols()];
    for (int r = 0; r < matrix.rows(); r++) {
      matrix.decodeRow(r, row);
      System.arraycopy(row, 0, all, r * row.length, row.length);
    }
    assertArrayEquals(sample.weights(), all);
  }

  static String name(DeviceFormat format) {
    return switch (format) {
      case DeviceFormat.F32 _ -> "F32";
      case DeviceFormat.Bf16 _ -> "BF16";
      case DeviceFormat.F16 _ -> "F16";
      case DeviceFormat.Int8(int group, boolean zeros, _) ->
          "INT8 " + group + (zeros ? " zeros" : "");
      case DeviceFormat.Int4(int group, boolean zeros, _) ->
          "INT4 " + group + (zeros ? " zeros" : "");
      case DeviceFormat.Code4(int group) -> "CODE4 " + group;
      case DeviceFormat.Fp8(int rows, int cols) -> "FP8 " + rows + " " + cols;
      case DeviceFormat.Own _ -> "own";
    };
  }
}
