package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.quant.ScaleType;
import dev.millrace.testkit.MemoryCheckpoint;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class GgufPluginTest {
  private static final String MATRIX = "model.layers.0.mlp.up_proj";

  private final GgufPlugin plugin = new GgufPlugin();

  /** Blocks made by libggml, and what it makes of them again: 512 numbers of each type. */
  @ParameterizedTest
  @EnumSource(GgmlBlock.class)
  void everyTypeDecodesAsInLibggml(GgmlBlock type) throws IOException {
    var golden = golden(type);
    byte[] blocks = HexFormat.of().parseHex(golden.get("hex").textValue());
    byte[] floats = HexFormat.of().parseHex(golden.get("dequant_f32_hex").textValue());
    var expected = ByteBuffer.wrap(floats).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    assertEquals(512, expected.remaining());
    var matrix = read(type, 2, blocks);
    assertEquals(type.format(), matrix.format());
    assertEquals(256, matrix.cols());
    float[] row = new float[256];
    for (int r = 0; r < 2; r++) {
      matrix.decodeRow(r, row);
      for (float weight : row) {
        // 0f: the sign of a zero may differ
        assertEquals(expected.get() + 0f, weight + 0f, "row " + r);
      }
    }
  }

  private static JsonNode golden(GgmlBlock type) throws IOException {
    var resource = GgufPluginTest.class.getResourceAsStream("ggml-blocks.json.gz");
    try (var in = new GZIPInputStream(Objects.requireNonNull(resource))) {
      return new ObjectMapper().readTree(in).get(type.name());
    }
  }

  @Test
  void signsOfInt8MoveIntoTheCodes() {
    byte[] block = new byte[34];
    ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN).putShort(Float.floatToFloat16(-0.5f));
    block[2] = 127;
    block[3] = -127;
    var matrix = read(GgmlBlock.Q8_0, 1, block);
    assertEquals(new DeviceFormat.Int8(32, false, ScaleType.F16), matrix.format());
    float[] row = new float[32];
    matrix.decodeRow(0, row);
    assertEquals(-63.5f, row[0]);
    assertEquals(63.5f, row[1]);
    assertEquals(-127, matrix.packed().get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0));
  }

  @Test
  void theByteThatInt8LacksBringsZeros() {
    byte[] block = new byte[34];
    ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN).putShort(Float.floatToFloat16(-0.5f));
    block[2] = -128;
    var matrix = read(GgmlBlock.Q8_0, 1, block);
    assertEquals(new DeviceFormat.Int8(32, true, ScaleType.F16), matrix.format());
    float[] row = new float[32];
    matrix.decodeRow(0, row);
    assertEquals(64, row[0]);
  }

  @ParameterizedTest
  @CsvSource({"Q8_0, 0, 34", "Q4_K, 2, 144", "Q6_K, 208, 210"})
  void aScaleThatIsNotFiniteIsRefusedByName(GgmlBlock type, int at, int bytes) {
    byte[] block = new byte[bytes];
    ByteBuffer.wrap(block)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putShort(at, Float.floatToFloat16(Float.NaN));
    if (type == GgmlBlock.Q4_K) {
      block[8] = 1; // a minimum of its own
    } else if (type == GgmlBlock.Q6_K) {
      block[192] = 1;
    }
    var error = assertThrows(InferenceException.class, () -> read(type, 1, block));
    assertEquals(ErrorCode.INVALID_CHECKPOINT, error.code());
    assertTrue(String.valueOf(error.getMessage()).contains(type.tensor(MATRIX)), error.toString());
  }

  @Test
  void rowsThatAreNoWholeBlocksAreRefused() {
    var error = assertThrows(InferenceException.class, () -> read(GgmlBlock.Q8_0, 1, new byte[33]));
    assertEquals(ErrorCode.BAD_SHAPE, error.code());
  }

  @Test
  void plainNumbersAreLeftToOthers() {
    var checkpoint =
        new MemoryCheckpoint().floats(MATRIX + ".weight", DType.F32, List.of(1, 2), 1, 2);
    assertFalse(plugin.accepts(MATRIX, checkpoint));
  }

  private QuantizedMatrix read(GgmlBlock type, int rows, byte[] blocks) {
    var checkpoint =
        new MemoryCheckpoint()
            .bytes(type.tensor(MATRIX), DType.U8, List.of(rows, blocks.length / rows), blocks);
    assertTrue(plugin.accepts(MATRIX, checkpoint));
    return plugin.read(MATRIX, checkpoint);
  }
}
