package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.testkit.MemoryCheckpoint;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Fp8PluginTest {
  private static final String MATRIX = "model.layers.0.mlp.up_proj";
  private static final List<Integer> SQUARES = List.of(2, 3);

  private final Fp8Plugin plugin = new Fp8Plugin();

  @Test
  void numbersAreThoseOfTheTables() throws IOException {
    var e4m3 = Examples.get("fp8_e4m3fn_table");
    var e5m2 = Examples.get("fp8_e5m2_table");
    for (int bits = 0; bits < 256; bits++) {
      assertEquals(number(e4m3.get(bits)), Float8.e4m3((byte) bits));
      assertEquals(number(e5m2.get(bits)), Float8.e5m2((byte) bits));
    }
    for (var entry : Examples.get("e8m0_table_some").properties()) {
      assertEquals(number(entry.getValue()), Float8.e8m0((byte) Integer.parseInt(entry.getKey())));
    }
  }

  private static float number(JsonNode node) {
    return switch (node.asText()) {
      case "nan" -> Float.NaN;
      case "inf" -> Float.POSITIVE_INFINITY;
      case "-inf" -> Float.NEGATIVE_INFINITY;
      default -> node.floatValue();
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"weight_scale", "weight_scale_inv"})
  void blocksOfTheWorkedExampleDecodeToTheLastBit(String scale) throws IOException {
    var example = Examples.get("fp8_block2x2");
    var checkpoint =
        weight(example)
            .floats(
                MATRIX + "." + scale,
                DType.F32,
                List.of(3, 3),
                Examples.floats(example.get("scale")))
            .quantization(Map.of("weight_block_size", List.of(2, 2)));
    Examples.assertWeights(example.get("weight"), plugin.read(MATRIX, checkpoint));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void channelsOfTheWorkedExampleDecodeToTheLastBit(boolean fbgemm) throws IOException {
    var example = Examples.get("fp8_channel");
    var checkpoint =
        weight(example)
            .floats(
                MATRIX + ".weight_scale",
                DType.F32,
                List.of(5, 1),
                Examples.floats(example.get("weight_scale_out_x_1")));
    QuantizationPlugin reader = fbgemm ? new FbgemmFp8Plugin() : plugin;
    assertTrue(reader.accepts(MATRIX, checkpoint));
    var matrix = reader.read(MATRIX, checkpoint);
    assertEquals(new DeviceFormat.Fp8(1, 0), matrix.format());
    Examples.assertWeights(example.get("weight"), matrix);
  }

  private static MemoryCheckpoint weight(JsonNode example) {
    return new MemoryCheckpoint()
        .bytes(
            MATRIX + ".weight",
            DType.F8_E4M3,
            List.of(5, 6),
            Examples.octets(example.get("bytes")));
  }

  @Test
  void squaresKeepTheirScales() {
    var sample = sample(128, 128);
    var matrix = plugin.read(MATRIX, squares(sample));
    assertEquals(new DeviceFormat.Fp8(128, 128), matrix.format());
    assertDecodes(sample.weights(), matrix);
  }

  @ParameterizedTest
  @CsvSource({"0", "1", "2"})
  void oneScaleMayHaveAnyShape(int dimensions) {
    var sample = sample(200, 300);
    var shape = Collections.nCopies(dimensions, 1);
    var matrix =
        plugin.read(MATRIX, sample.write(MATRIX, "weight_scale", shape, new MemoryCheckpoint()));
    assertEquals(new DeviceFormat.Fp8(0, 0), matrix.format());
    assertDecodes(sample.weights(), matrix);
  }

  @Test
  void scalesMayBePowersOfTwo() {
    var checkpoint =
        new MemoryCheckpoint()
            .bytes(MATRIX + ".weight", DType.F8_E4M3, List.of(1, 2), new byte[] {0x38, 0x40})
            .bytes(MATRIX + ".weight_scale_inv", DType.F8_E8M0, List.of(1, 1), new byte[] {125})
            .quantization(Map.of("weight_block_size", List.of(128, 128)));
    assertDecodes(new float[] {0.25f, 0.5f}, plugin.read(MATRIX, checkpoint));
  }

  @Test
  void fiveBitsOfExponentBecomeWide() {
    var checkpoint =
        new MemoryCheckpoint()
            .bytes(MATRIX + ".weight", DType.F8_E5M2, List.of(1, 2), new byte[] {0x3C, 0x41})
            .floats(MATRIX + ".weight_scale", DType.F32, List.of(1), 0.5f);
    var matrix = plugin.read(MATRIX, checkpoint);
    assertEquals(new DeviceFormat.F32(), matrix.format());
    assertDecodes(new float[] {0.5f, 1.25f}, matrix);
  }

  @ParameterizedTest
  @ValueSource(bytes = {0x7F, -1})
  void weightsThatAreNoNumbersAreRefused(byte bits) {
    var sample = sample(128, 128);
    sample.bytes()[70] = bits;
    refused(ErrorCode.INVALID_CHECKPOINT, MATRIX + ".weight ", squares(sample));
  }

  @ParameterizedTest
  @ValueSource(floats = {0, Float.NaN, Float.POSITIVE_INFINITY, Float.MAX_VALUE})
  void scalesThatAreWrongAreRefused(float scale) {
    var sample = sample(128, 128);
    sample.scales()[1][2] = scale;
    refused(ErrorCode.INVALID_CHECKPOINT, MATRIX + ".weight_scale_inv", squares(sample));
  }

  @Test
  void missingScalesAreRefused() {
    var checkpoint =
        new MemoryCheckpoint()
            .bytes(MATRIX + ".weight", DType.F8_E4M3, List.of(1, 2), new byte[] {0x38, 0x40});
    refused(ErrorCode.MISSING_TENSOR, MATRIX + ".weight_scale", checkpoint);
  }

  @Test
  void blocksThatTheTensorsDenyAreRefused() {
    var checkpoint =
        squares(sample(128, 128)).quantization(Map.of("weight_block_size", List.of(64, 64)));
    refused(ErrorCode.BAD_SHAPE, MATRIX + ".weight_scale_inv", checkpoint);
    checkpoint.quantization(Map.of());
    refused(ErrorCode.BAD_SHAPE, MATRIX + ".weight_scale_inv", checkpoint);
    checkpoint.quantization(Map.of("weight_block_size", List.of(0, 128)));
    refused(ErrorCode.UNSUPPORTED_QUANTIZATION, "weight_block_size", checkpoint);
  }

  @Test
  void modulesThatAreExcludedAreRefused() {
    var checkpoint =
        squares(sample(128, 128))
            .quantization(
                Map.of(
                    "weight_block_size",
                    List.of(128, 128),
                    "modules_to_not_convert",
                    List.of("lm_head", "model.layers.0.mlp")));
    refused(ErrorCode.INVALID_CHECKPOINT, MATRIX + ".weight", checkpoint);
  }

  @Test
  void plainMatricesAreLeftToOthers() {
    var checkpoint =
        new MemoryCheckpoint()
            .floats(MATRIX + ".weight", DType.BF16, List.of(1, 2), 1, 2)
            .quantization(Map.of("quant_method", "fp8"));
    assertFalse(plugin.accepts(MATRIX, checkpoint));
  }

  private static Fp8Sample sample(int blockRows, int blockCols) {
    float[] weights = new float[200 * 300];
    var random = new SplittableRandom(5);
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    return Fp8Sample.of(200, 300, weights, blockRows, blockCols);
  }

  private static MemoryCheckpoint squares(Fp8Sample sample) {
    return sample
        .write(MATRIX, "weight_scale_inv", SQUARES, new MemoryCheckpoint())
        .quantization(Map.of("weight_block_size", List.of(128, 128)));
  }

  private void refused(ErrorCode code, String named, MemoryCheckpoint checkpoint) {
    var error = assertThrows(InferenceException.class, () -> plugin.read(MATRIX, checkpoint));
    assertTrue(String.valueOf(error.getMessage()).contains(named), error.toString());
    assertEquals(code, error.code(), error.toString());
  }

  static void assertDecodes(float[] weights, QuantizedMatrix matrix) {
    float[] all = new float[matrix.rows() * matrix.cols()];
    float[] row = new float[matrix.cols()];
    for (int r = 0; r < matrix.rows(); r++) {
      matrix.decodeRow(r, row);
      System.arraycopy(row, 0, all, r * row.length, row.length);
    }
    assertArrayEquals(weights, all);
  }
}
