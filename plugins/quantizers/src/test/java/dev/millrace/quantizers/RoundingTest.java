package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.testkit.MemoryCheckpoint;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is made at load: codes, groups, and which modules. */
class RoundingTest {
  private static final QuantizationPlugin INT4 = new Int4Plugin();
  private static final QuantizationPlugin INT8 = new Int8Plugin();
  private static final QuantizationPlugin FP8 = new Fp8Plugin();

  @Test
  void theFarthestWeightOfAGroupOfInt4IsExactWhateverItsSign() {
    float[] weights = new float[64];
    Arrays.fill(weights, 0.25f);
    weights[3] = -4;
    weights[40] = 2;
    var matrix = INT4.read("m", matrix(1, 64, weights));
    assertEquals(new DeviceFormat.Int4(32, false), matrix.format());
    float[] decoded = row(matrix, 0);
    assertEquals(-4, decoded[3]);
    assertEquals(2, decoded[40]);
    assertEquals(0, decoded[0]); // half a step of 0.5: to the even
    assertEquals(0.25f, decoded[32]); // a step of 0.25
  }

  @ParameterizedTest
  @CsvSource({"1, 32", "31, 32", "33, 16", "64, 64", "257, 128"})
  void noWeightOfInt4IsOffByMoreThanHalfAStepButAtItsFarEnd(int cols, int group) {
    var random = new SplittableRandom(cols);
    float[] weights = new float[5 * cols];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    var checkpoint = matrix(5, cols, weights).quantization(Map.of("group_size", group));
    var matrix = INT4.read("m", checkpoint);
    for (int row = 0; row < 5; row++) {
      float[] decoded = row(matrix, row);
      for (int i = 0; i < cols; i++) {
        int from = row * cols + i / group * group;
        int to = Math.min((row + 1) * cols, from + group);
        float farthest = 0;
        for (int k = from; k < to; k++) {
          farthest = Math.abs(weights[k]) > Math.abs(farthest) ? weights[k] : farthest;
        }
        float step = farthest / -8;
        // codes end at 7 steps, so one that is opposite to the farthest may lose up to a step
        double exact = Math.min(weights[row * cols + i] / (double) step, 7);
        assertEquals(exact * step, decoded[i], Math.abs(step) / 2 + 1e-6, row + ", " + i);
      }
    }
  }

  @Test
  void aGroupOfInt8HasItsOwnScale() {
    float[] weights = new float[32];
    weights[0] = 1;
    weights[16] = 100;
    weights[17] = 0.4f;
    var grouped = matrix(1, 32, weights).quantization(Map.of("group_size", 16));
    var matrix = INT8.read("m", grouped);
    assertEquals(new DeviceFormat.Int8(16), matrix.format());
    assertEquals(1, row(matrix, 0)[0], 1e-6);
    assertEquals(0.7874016f, row(INT8.read("m", matrix(1, 32, weights)), 0)[0], 1e-6);
  }

  @Test
  void fp8GoesToTheNearestNumberOfItsRow() {
    float[] weights = {448, 17, -16, 9, 0, 0.001f, 896, 34, 33, -32, 1, 0};
    var matrix = FP8.read("m", matrix(2, 6, weights));
    assertEquals(new DeviceFormat.Fp8(1, 0), matrix.format());
    assertArrayEquals(new float[] {448, 16, -16, 9, 0, 0x1p-9f}, row(matrix, 0));
    assertArrayEquals(new float[] {896, 32, 32, -32, 1, 0}, row(matrix, 1));
  }

  @Test
  void zerosStayZeros() {
    for (var plugin : List.of(INT4, INT8, FP8)) {
      float[] row = row(plugin.read("m", matrix(1, 40, new float[40])), 0);
      assertArrayEquals(new float[40], row, plugin.name());
    }
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void whatIsNoNumberIsRefusedByName(float bad) {
    for (var plugin : List.of(INT4, INT8, FP8)) {
      var error =
          assertThrows(
              InferenceException.class, () -> plugin.read("m", matrix(2, 2, 1, 2, bad, 3)));
      assertEquals(ErrorCode.INVALID_CHECKPOINT, error.code());
      assertTrue(error.toString().contains("m.weight"), error.toString());
      assertTrue(error.toString().contains("row 1"), error.toString());
    }
  }

  @Test
  void tokenTablesHeadsAndRoutersAreKeptUnlessTheUserSaysOtherwise() {
    var names =
        List.of("lm_head", "model.embed_tokens", "transformer.wte", "model.layers.0.mlp.gate");
    for (var plugin : List.of(INT4, INT8, FP8)) {
      for (String name : names) {
        assertFalse(plugin.accepts(name, named(name)), name);
        var all = named(name).quantization(Map.of("ignore", List.of()));
        assertTrue(plugin.accepts(name, all), name);
      }
      String taken = "model.layers.0.mlp.gate_proj";
      assertTrue(plugin.accepts(taken, named(taken)));
      for (String ignored : List.of("gate_proj", taken, "re:.*gate")) {
        var some = named(taken).quantization(Map.of("ignore", List.of(ignored)));
        assertFalse(plugin.accepts(taken, some), ignored);
      }
    }
  }

  @Test
  void settingsThatAFormatDoesNotHaveAreRefusedByName() {
    refused(INT4, Map.of("group_size", -1), "int4 with a group_size of -1");
    refused(INT8, Map.of("group_size", 48), "int8 with a group_size of 48");
    refused(FP8, Map.of("group_size", 32), "fp8 with a group_size of 32");
    refused(INT4, Map.of("bits", 3), "bits");
  }

  @Test
  void storedFp8IsNotMadeAnew() {
    var stored = named("m").quantization(Map.of("quant_method", "fp8"));
    assertFalse(FP8.accepts("m", stored));
  }

  private static void refused(
      QuantizationPlugin plugin, Map<String, Object> settings, String what) {
    var checkpoint = named("m").quantization(settings);
    var error = assertThrows(InferenceException.class, () -> plugin.accepts("m", checkpoint), what);
    assertEquals(ErrorCode.INVALID_CONFIGURATION, error.code());
    assertTrue(error.toString().contains(what), error.toString());
  }

  private static MemoryCheckpoint named(String name) {
    return new MemoryCheckpoint().floats(name + ".weight", DType.F32, List.of(1, 1), 1);
  }

  private static MemoryCheckpoint matrix(int rows, int cols, float... weights) {
    return new MemoryCheckpoint().floats("m.weight", DType.F32, List.of(rows, cols), weights);
  }

  private static float[] row(QuantizedMatrix matrix, int row) {
    float[] out = new float[matrix.cols()];
    matrix.decodeRow(row, out);
    return out;
  }
}
