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
import dev.millrace.testkit.MemoryCheckpoint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BitsAndBytesPluginTest {
  private static final String MATRIX = "model.layers.0.mlp.up_proj";
  private static final String WEIGHT = MATRIX + ".weight";

  private final BitsAndBytesPlugin plugin = new BitsAndBytesPlugin();

  @Test
  void theWorkedExampleDecodesToTheLastBit() throws IOException {
    var example = Examples.get("bnb_nf4");
    float[] table = Examples.floats(example.get("code"));
    assertArrayEquals(TableSample.NF4, table);
    var checkpoint =
        new TableSample(2, 64, new int[128], new float[2])
            .write(MATRIX, new MemoryCheckpoint())
            .bytes(WEIGHT, DType.U8, List.of(64, 1), Examples.octets(example.get("packed_u8")))
            .floats(
                WEIGHT + ".absmax", DType.F32, List.of(2), Examples.floats(example.get("absmax")));
    assertTrue(plugin.accepts(MATRIX, checkpoint));
    var matrix = plugin.read(MATRIX, checkpoint);
    assertEquals(new DeviceFormat.Code4(64), matrix.format());
    Fp8PluginTest.assertDecodes(Examples.floats(example.get("weight")), matrix);
  }

  @ParameterizedTest
  @CsvSource({
    "32, 256, CODE4 64",
    "17, 96, CODE4 32",
    "4, 48, CODE4 16",
    "5, 33, F32",
    "3, 7, F32"
  })
  void blocksGoOnFromRowToRow(int rows, int cols, String expected) {
    var sample = sample(rows, cols);
    var matrix = plugin.read(MATRIX, sample.write(MATRIX, new MemoryCheckpoint()));
    assertEquals(expected, GptqPluginTest.name(matrix.format()));
    Fp8PluginTest.assertDecodes(sample.weights(), matrix);
  }

  @Test
  void scalesMayBeQuantizedThemselves() {
    var sample = sample(200, 256);
    for (int i = 0; i < sample.scales().length; i++) {
      sample.scales()[i] = i * 37 % 128 / 16f + 0.5f;
    }
    var matrix = plugin.read(MATRIX, sample.writeNested(MATRIX, new MemoryCheckpoint()));
    assertEquals(new DeviceFormat.Code4(64), matrix.format());
    Fp8PluginTest.assertDecodes(sample.weights(), matrix);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "{}",
        "{\"shape\": [32, 256]}",
        "{\"shape\": [32], \"blocksize\": 64}",
        "{\"shape\": [32, 1e99], \"blocksize\": 64}",
        "{\"shape\": [32, ], \"blocksize\": 64}",
        "{\"shape\": [32, 256], \"blocksize\": 0}",
        "{\"shape\": [32, 256], \"blocksize\": 64.5}",
        "{\"shape\": [32, 256], \"blocksize\": 64} x",
        "{\"shape\": [32, 256], \"blocksize\": 64, \"nested_blocksize\": 256}"
      })
  void aStateThatIsNoneIsRefusedByName(String json) {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    String state = WEIGHT + ".quant_state.bitsandbytes__nf4";
    refused(
        ErrorCode.INVALID_CHECKPOINT,
        state,
        sample(32, 256)
            .write(MATRIX, new MemoryCheckpoint())
            .bytes(state, DType.U8, List.of(bytes.length), bytes));
  }

  @Test
  void shapesThatContradictTheStateAreRefused() {
    var sample = sample(32, 256);
    byte[] json =
        new TableSample(32, 128, new int[0], new float[0])
            .state("")
            .getBytes(StandardCharsets.UTF_8);
    String state = WEIGHT + ".quant_state.bitsandbytes__nf4";
    refused(
        ErrorCode.BAD_SHAPE,
        WEIGHT,
        sample
            .write(MATRIX, new MemoryCheckpoint())
            .bytes(state, DType.U8, List.of(json.length), json));
  }

  @ParameterizedTest
  @ValueSource(strings = {".absmax", ".quant_map"})
  void numbersThatAreNoneAreRefused(String tensor) {
    var sample = sample(32, 256);
    int count = tensor.equals(".absmax") ? 128 : 16;
    float[] numbers = new float[count];
    numbers[count - 1] = Float.NaN;
    refused(
        ErrorCode.INVALID_CHECKPOINT,
        WEIGHT + tensor,
        sample
            .write(MATRIX, new MemoryCheckpoint())
            .floats(WEIGHT + tensor, DType.F32, List.of(count), numbers));
  }

  @Test
  void eightBitsAreRefusedWithTheCure() {
    refused(
        ErrorCode.UNSUPPORTED_QUANTIZATION,
        "--quantization int8",
        new MemoryCheckpoint().bytes(WEIGHT, DType.I8, List.of(1, 2), new byte[2]));
  }

  @Test
  void aMissingStateAndExcludedModulesAreRefused() {
    var bare = new MemoryCheckpoint().bytes(WEIGHT, DType.U8, List.of(2, 1), new byte[2]);
    refused(ErrorCode.MISSING_TENSOR, WEIGHT + ".quant_state", bare);
    refused(
        ErrorCode.INVALID_CHECKPOINT,
        WEIGHT,
        sample(32, 256)
            .write(MATRIX, new MemoryCheckpoint())
            .quantization(Map.of("llm_int8_skip_modules", List.of("up_proj"))));
  }

  @Test
  void plainMatricesAreLeftToOthers() {
    assertFalse(
        plugin.accepts(
            MATRIX, new MemoryCheckpoint().floats(WEIGHT, DType.BF16, List.of(1, 2), 1, 2)));
  }

  private static TableSample sample(int rows, int cols) {
    float[] weights = new float[rows * cols];
    var random = new SplittableRandom(5);
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    return TableSample.of(rows, cols, weights);
  }

  private void refused(ErrorCode code, String named, MemoryCheckpoint checkpoint) {
    var error = assertThrows(InferenceException.class, () -> plugin.read(MATRIX, checkpoint));
    assertTrue(String.valueOf(error.getMessage()).contains(named), error.toString());
    assertEquals(code, error.code(), error.toString());
  }
}
