package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.testkit.MemoryCheckpoint;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NonePluginTest {
  private final NonePlugin plugin = new NonePlugin();

  @Test
  void allPluginsAreFoundByName() {
    List<String> names =
        ServiceLoader.load(QuantizationPlugin.class).stream().map(p -> p.get().name()).toList();
    assertEquals(
        List.of(
            "none",
            "int8",
            "int4",
            "gguf",
            "gptq",
            "awq",
            "compressed-tensors",
            "fp8",
            "fbgemm_fp8",
            "bitsandbytes"),
        names);
  }

  @Test
  void floatsAreReadAsTheyAre() {
    float[] values = {1, -2.5f, Float.MIN_VALUE, Float.MAX_VALUE, -0f, Float.NEGATIVE_INFINITY};
    var checkpoint = new MemoryCheckpoint().floats("m.weight", DType.F32, List.of(2, 3), values);
    QuantizedMatrix matrix = plugin.read("m", checkpoint);
    assertEquals(new DeviceFormat.F32(), matrix.format());
    assertEquals(2, matrix.rows());
    assertEquals(3, matrix.cols());
    assertArrayEquals(new float[] {1, -2.5f, Float.MIN_VALUE}, row(matrix, 0));
    assertArrayEquals(new float[] {Float.MAX_VALUE, -0f, Float.NEGATIVE_INFINITY}, row(matrix, 1));
  }

  @Test
  void bf16IsTheUpperHalfOfABinary32() {
    var checkpoint =
        new MemoryCheckpoint()
            .bytes(
                "m.weight",
                DType.BF16,
                List.of(2, 3),
                words(0x3F80, 0xC020, 0x0001, 0x7F80, 0xFF80, 0x7F7F));
    QuantizedMatrix matrix = plugin.read("m", checkpoint);
    assertEquals(new DeviceFormat.Bf16(), matrix.format());
    assertArrayEquals(new float[] {1, -2.5f, 0x1p-133f}, row(matrix, 0));
    assertArrayEquals(
        new float[] {
          Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.intBitsToFloat(0x7F7F0000)
        },
        row(matrix, 1));
  }

  @Test
  void f16IsDecodedExactly() {
    var checkpoint =
        new MemoryCheckpoint()
            .bytes(
                "m.weight",
                DType.F16,
                List.of(2, 3),
                words(0x3C00, 0xC100, 0x0001, 0x7C00, 0x83FF, 0x7BFF));
    QuantizedMatrix matrix = plugin.read("m", checkpoint);
    assertEquals(new DeviceFormat.F16(), matrix.format());
    assertArrayEquals(new float[] {1, -2.5f, 0x1p-24f}, row(matrix, 0));
    assertArrayEquals(new float[] {Float.POSITIVE_INFINITY, -0x3FFp-24f, 65504}, row(matrix, 1));
  }

  @Test
  void theBytesAreNotCopied() {
    var checkpoint =
        new MemoryCheckpoint().bytes("m.weight", DType.BF16, List.of(1, 2), words(1, 2));
    MemorySegment stored = checkpoint.tensor("m.weight").bytes();
    assertSame(stored, plugin.read("m", checkpoint).packed());
  }

  @Test
  void aRowWritesOnlyItsOwnColumns() {
    var checkpoint = new MemoryCheckpoint().floats("m.weight", DType.F32, List.of(1, 2), 5, 6);
    float[] out = {9, 9, 9};
    plugin.read("m", checkpoint).decodeRow(0, out);
    assertArrayEquals(new float[] {5, 6, 9}, out);
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void onlyMatricesOfPlainFloatsAreAccepted(DType type) {
    var matrix =
        new MemoryCheckpoint()
            .bytes("m.weight", type, List.of(1, 2), new byte[2 * type.bytes()])
            .bytes("v.weight", type, List.of(2), new byte[2 * type.bytes()]);
    boolean plain = type == DType.F32 || type == DType.BF16 || type == DType.F16;
    assertEquals(plain, plugin.accepts("m", matrix));
    assertFalse(plugin.accepts("v", matrix));
    assertFalse(plugin.accepts("absent", matrix));
    if (!plain) {
      var error = assertThrows(InferenceException.class, () -> plugin.read("m", matrix));
      assertEquals(ErrorCode.UNSUPPORTED_QUANTIZATION, error.code());
    }
  }

  @Test
  void bytesThatDoNotFitTheShapeAreRefusedByName() {
    var checkpoint =
        new MemoryCheckpoint().bytes("m.weight", DType.F32, List.of(2, 2), new byte[15]);
    var error = assertThrows(InferenceException.class, () -> plugin.read("m", checkpoint));
    assertEquals(ErrorCode.INVALID_CHECKPOINT, error.code());
    assertTrue(error.toString().contains("m.weight"), error.toString());
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
