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
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Int8PluginTest {
  private static final ValueLayout.OfFloat SCALES =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Int8Plugin plugin = new Int8Plugin();

  @Test
  void theLayoutIsTheDocumentedOne() {
    QuantizedMatrix matrix = quantize(2, 3, 127, -63.5f, 0.5f, -0.25f, 0.125f, 0.0625f);
    assertEquals(new DeviceFormat.Int8(0), matrix.format());
    MemorySegment packed = matrix.packed();
    assertFalse(packed.isReadOnly(), "a device may put it in an order of its own");
    assertEquals(72, packed.byteSize());
    // −63.5 and 0.5 lie halfway and go to the even neighbour
    assertArrayEquals(
        new byte[] {127, -64, 0, -127, 64, 32},
        packed.asSlice(0, 6).toArray(ValueLayout.JAVA_BYTE));
    assertEquals(1f, packed.get(SCALES, 64));
    assertEquals(0.25f / 127, packed.get(SCALES, 68));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 31, 32, 33, 63, 64, 65, 257})
  void noWeightIsOffByMoreThanHalfAScale(int cols) {
    int rows = 7;
    float[] weights = new float[rows * cols];
    var random = new SplittableRandom(cols);
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (random.nextGaussian() * Math.pow(10, i / cols - 3));
    }
    QuantizedMatrix matrix = quantize(rows, cols, weights);
    for (int row = 0; row < rows; row++) {
      float[] decoded = row(matrix, row);
      float scale = scale(matrix, row);
      for (int col = 0; col < cols; col++) {
        float weight = weights[row * cols + col];
        double error = Math.abs((double) weight - decoded[col]);
        assertTrue(error <= scale / 2d + Math.ulp(weight), weight + " became " + decoded[col]);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 64, 126, 127, 128, 190, 191, 255, 1000, 0x7FFFFF, 0x800000})
  void subnormalRowsKeepTheBoundToo(int bits) {
    float largest = Float.intBitsToFloat(bits);
    QuantizedMatrix matrix = quantize(1, 3, largest, -largest, Float.MIN_VALUE);
    float[] decoded = row(matrix, 0);
    double bound = scale(matrix, 0) / 2d + Float.MIN_VALUE;
    assertEquals(largest, decoded[0], bound);
    assertEquals(-largest, decoded[1], bound);
    assertEquals(Float.MIN_VALUE, decoded[2], bound);
  }

  @Test
  void theLargestFloatsStayFinite() {
    QuantizedMatrix matrix = quantize(1, 2, Float.MAX_VALUE, -Float.MAX_VALUE);
    for (float value : row(matrix, 0)) {
      assertEquals(Float.MAX_VALUE, Math.abs(value), Float.MAX_VALUE * 0x1p-22f);
    }
  }

  @Test
  void rowsDecodeOnTheirOwn() {
    float[] weights = {3, -2, 1, 100, 50, -25, 0.1f, 0.2f, 0.3f};
    QuantizedMatrix all = quantize(3, 3, weights);
    for (int row = 2; row >= 0; row--) {
      QuantizedMatrix alone =
          quantize(1, 3, weights[row * 3], weights[row * 3 + 1], weights[row * 3 + 2]);
      assertArrayEquals(row(alone, 0), row(all, row));
    }
  }

  @Test
  void aRowOfZerosStaysZero() {
    QuantizedMatrix matrix = quantize(2, 2, 0, -0f, 1, 2);
    assertEquals(0f, scale(matrix, 0));
    assertArrayEquals(new float[2], row(matrix, 0));
    assertEquals(2f, row(matrix, 1)[1]);
  }

  @Test
  void halvesAreQuantizedLikeTheirFloats() {
    var checkpoint =
        new MemoryCheckpoint()
            .bytes("b.weight", DType.BF16, List.of(1, 3), words(0x3F80, 0xC020, 0x3E80))
            .bytes("f.weight", DType.F16, List.of(1, 3), words(0x3C00, 0xC100, 0x3400))
            .floats("w.weight", DType.F32, List.of(1, 3), 1, -2.5f, 0.25f);
    float[] expected = row(plugin.read("w", checkpoint), 0);
    assertArrayEquals(expected, row(plugin.read("b", checkpoint), 0));
    assertArrayEquals(expected, row(plugin.read("f", checkpoint), 0));
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void weightsThatAreNoNumbersAreRefusedByName(float bad) {
    var error = assertThrows(InferenceException.class, () -> quantize(2, 2, 1, 2, bad, 3));
    assertEquals(ErrorCode.INVALID_CHECKPOINT, error.code());
    assertTrue(error.toString().contains("m.weight"), error.toString());
    assertTrue(error.toString().contains("row 1"), error.toString());
  }

  @Test
  void tokenTablesAndHeadsAreLeftToOthers() {
    var checkpoint =
        new MemoryCheckpoint()
            .floats("lm_head.weight", DType.F32, List.of(1, 1), 1)
            .floats("model.embed_tokens.weight", DType.F32, List.of(1, 1), 1)
            .floats("model.layers.0.mlp.up_proj.weight", DType.F32, List.of(1, 1), 1);
    assertFalse(plugin.accepts("lm_head", checkpoint));
    assertFalse(plugin.accepts("model.embed_tokens", checkpoint));
    assertFalse(plugin.accepts("model.layers.0.mlp.gate_proj", checkpoint));
    assertTrue(plugin.accepts("model.layers.0.mlp.up_proj", checkpoint));
  }

  private QuantizedMatrix quantize(int rows, int cols, float... weights) {
    return plugin.read(
        "m", new MemoryCheckpoint().floats("m.weight", DType.F32, List.of(rows, cols), weights));
  }

  private static float scale(QuantizedMatrix matrix, int row) {
    long scales = Math.ceilDiv(Math.multiplyFull(matrix.rows(), matrix.cols()), 64) * 64;
    return matrix.packed().get(SCALES, scales + 4L * row);
  }

  private static float[] row(QuantizedMatrix matrix, int row) {
    float[] out = new float[matrix.cols()];
    matrix.decodeRow(row, out);
    return out;
  }

  private static byte[] words(int... words) {
    var bytes = ByteBuffer.allocate(2 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    for (int word : words) {
      bytes.putShort((short) word);
    }
    return bytes.array();
  }
}
