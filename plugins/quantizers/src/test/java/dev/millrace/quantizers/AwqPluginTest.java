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

class AwqPluginTest {
  private static final String MATRIX = "model.layers.0.mlp.up_proj";

  private final AwqPlugin plugin = new AwqPlugin();

  @Test
  void theWorkedExampleDecodesToTheLastBit() throws IOException {
    var example = Examples.get("awq_gemm");
    var checkpoint =
        new MemoryCheckpoint()
            .bytes(
                MATRIX + ".qweight",
                DType.I32,
                List.of(16, 2),
                Examples.words(example.get("qweight_int32")))
            .bytes(
                MATRIX + ".qzeros",
                DType.I32,
                List.of(2, 2),
                Examples.words(example.get("qzeros_int32")))
            .floats(
                MATRIX + ".scales",
                DType.F16,
                List.of(2, 16),
                Examples.floats(example.get("scales_GxN")))
            .quantization(config(Map.of("group_size", 8)));
    assertTrue(plugin.accepts(MATRIX, checkpoint));
    Examples.assertWeights(example.get("weight_out_x_in"), plugin.read(MATRIX, checkpoint));
  }

  @Test
  void aWordHoldsItsOutputsInItsOwnOrder() throws IOException {
    int word = Examples.get("awq_single_word").get("word_int32").intValue();
    var codes =
        AwqCodes.of(
            MATRIX,
            new MemoryCheckpoint()
                .bytes(MATRIX + ".qweight", DType.I32, List.of(1, 1), IntegerSample.words(word))
                .bytes(MATRIX + ".qzeros", DType.I32, List.of(1, 1), IntegerSample.words(word))
                .floats(MATRIX + ".scales", DType.F16, List.of(1, 8), new float[8])
                .quantization(config(Map.of())));
    var reader = codes.reader();
    for (int i = 0; i < 8; i++) {
      assertEquals(i, reader.read(i)[0]);
      assertEquals(i, codes.zero(i, 0));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {32, 64, 128})
  void groupsBecomeThoseOfInt4(int size) {
    var sample = sample(size);
    var matrix = plugin.read(MATRIX, checkpoint(sample, Map.of("group_size", size)));
    assertEquals(new DeviceFormat.Int4(size, true), matrix.format());
    GptqPluginTest.assertDecodes(sample, matrix);
  }

  @ParameterizedTest
  @CsvSource({
    "version, gemv, gemv",
    "version, gemv_fast, gemv_fast",
    "version, marlin, marlin",
    "bits, 8, bits of 8",
    "group_size, 0, group_size of 0",
    "zero_point, false, zero_point"
  })
  void layoutsThatAreNotReadAreRefusedByName(String key, String value, String named) {
    Object set =
        value.matches("\\d") ? Integer.valueOf(value) : value.equals("false") ? false : value;
    refused(ErrorCode.UNSUPPORTED_QUANTIZATION, named, checkpoint(sample(64), with(key, set)));
  }

  @Test
  void groupsThatTheTensorsDenyAreRefused() {
    refused(
        ErrorCode.BAD_SHAPE, MATRIX + ".qzeros", checkpoint(sample(64), Map.of("group_size", 32)));
  }

  @ParameterizedTest
  @ValueSource(floats = {0, Float.NaN, Float.POSITIVE_INFINITY})
  void scalesThatAreWrongAreRefused(float scale) {
    var sample = sample(64);
    sample.scales()[3][1] = scale;
    refused(
        ErrorCode.INVALID_CHECKPOINT,
        MATRIX + ".scales",
        checkpoint(sample, Map.of("group_size", 64)));
  }

  private static Map<String, Object> with(String key, Object value) {
    return key.equals("group_size") ? Map.of(key, value) : Map.of("group_size", 64, key, value);
  }

  private static Map<String, Object> config(Map<String, Object> more) {
    var config = new HashMap<String, Object>(more);
    config.put("quant_method", "awq");
    return config;
  }

  private static MemoryCheckpoint checkpoint(IntegerSample sample, Map<String, Object> config) {
    return sample.awq(MATRIX, new MemoryCheckpoint().quantization(config(config)));
  }

  private static IntegerSample sample(int size) {
    float[] weights = new float[32 * 256];
    var random = new SplittableRandom(5);
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    return IntegerSample.of(4, 32, weights, IntegerSample.inOrder(256, size), false);
  }

  private void refused(ErrorCode code, String named, MemoryCheckpoint checkpoint) {
    var error = assertThrows(InferenceException.class, () -> plugin.read(MATRIX, checkpoint));
    assertTrue(String.valueOf(error.getMessage()).contains(named), error.toString());
    assertEquals(code, error.code(), error.toString());
  }
}
