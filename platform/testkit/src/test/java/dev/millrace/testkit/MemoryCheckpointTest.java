package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.DType;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryCheckpointTest {
  @ParameterizedTest
  @CsvSource({
    "1, 3F80",
    "-2.5, C020",
    "1.00390625, 3F80", // half a step above 1 goes to the even neighbour
    "1.01171875, 3F82",
    "3.4028235E38, 7F80",
    "NaN, 7FC0"
  })
  void bf16IsRoundedToTheNearest(float value, String expected) {
    var checkpoint = new MemoryCheckpoint().floats("t", DType.BF16, List.of(1), value);
    var word =
        checkpoint
            .tensor("t")
            .bytes()
            .get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    assertEquals(Integer.parseInt(expected, 16), Short.toUnsignedInt(word));
  }

  @Test
  void tensorsLieAtOddAddressesAndEndWhereTheyShould() {
    var tensor =
        new MemoryCheckpoint().floats("t", DType.F32, List.of(2, 2), 1, 2, 3, 4).tensor("t");
    assertEquals(1, tensor.bytes().address() % 2);
    assertEquals(16, tensor.bytes().byteSize());
    assertTrue(tensor.bytes().isReadOnly());
    assertEquals(List.of(2L, 2L), tensor.shape());
  }

  @Test
  void aMissingTensorIsNamed() {
    var error =
        assertThrows(InferenceException.class, () -> new MemoryCheckpoint().tensor("absent"));
    assertEquals(ErrorCode.MISSING_TENSOR, error.code());
    assertTrue(error.toString().contains("absent"));
  }

  @Test
  void theQuantizationIsReadByType() {
    var config =
        new MemoryCheckpoint()
            .quantization(
                Map.of(
                    "bits",
                    4,
                    "sym",
                    true,
                    "method",
                    "q",
                    "sizes",
                    List.of(1, 2),
                    "nested",
                    Map.of("x", 1.5)))
            .quantization();
    assertEquals(4, config.integer("bits"));
    assertEquals(8, config.integer("absent", 8));
    assertTrue(config.flag("sym", false));
    assertEquals("q", config.text("method", ""));
    assertEquals(List.of(1.0, 2.0), config.reals("sizes"));
    assertEquals(1.5, config.object("nested").real("x", 0));
    assertFalse(config.object("absent").has("x"));
    var error = assertThrows(InferenceException.class, () -> config.integer("method"));
    assertEquals(ErrorCode.UNSUPPORTED_MODEL, error.code());
  }
}
