package dev.millrace.engine.quantize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.load.HuggingFaceCheckpoint;
import dev.millrace.engine.load.SafetensorsWriter;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ExpertNames;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExpertsApartTest {
  private static final ExpertNames NAMES = new ExpertNames("moe", "w1", "w3", "w2");
  private static final ValueLayout.OfFloat NUMBER =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @TempDir Path directory;
  private final SafetensorsWriter file = new SafetensorsWriter();

  /** Two experts, 3 wide outside and 2 inside, and a layer without any. */
  private HuggingFaceCheckpoint open() throws IOException {
    file.add("a.0.mlp.experts.gate_up_proj", DType.F32, counting(24), 2, 4, 3);
    file.add("a.0.mlp.experts.down_proj", DType.F32, counting(12), 2, 3, 2);
    file.add("a.0.mlp.gate.weight", DType.F32, counting(6), 2, 3);
    file.add("a.1.mlp.up_proj.weight", DType.F32, counting(6), 2, 3);
    Files.writeString(directory.resolve("config.json"), "{}");
    file.write(directory.resolve("model.safetensors"));
    return HuggingFaceCheckpoint.open(directory);
  }

  private static float[] counting(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = i;
    }
    return values;
  }

  @Test
  void eachMatrixHasTheNameAndTheRowsOfItsExpert() throws IOException {
    try (var source = open()) {
      assertTrue(ExpertsApart.fits(source));
      var apart = new ExpertsApart(source, NAMES);
      assertFalse(ExpertsApart.fits(apart));
      assertEquals(
          Set.of(
              "a.0.moe.experts.0.w1.weight",
              "a.0.moe.experts.0.w2.weight",
              "a.0.moe.experts.0.w3.weight",
              "a.0.moe.experts.1.w1.weight",
              "a.0.moe.experts.1.w2.weight",
              "a.0.moe.experts.1.w3.weight",
              "a.0.moe.gate.weight",
              "a.1.mlp.up_proj.weight"),
          apart.names());
      check(apart, "a.0.moe.experts.0.w1.weight", List.of(2L, 3L), 0, 1, 2, 3, 4, 5);
      check(apart, "a.0.moe.experts.0.w3.weight", List.of(2L, 3L), 6, 7, 8, 9, 10, 11);
      check(apart, "a.0.moe.experts.1.w1.weight", List.of(2L, 3L), 12, 13, 14, 15, 16, 17);
      check(apart, "a.0.moe.experts.1.w2.weight", List.of(3L, 2L), 6, 7, 8, 9, 10, 11);
      check(apart, "a.0.moe.gate.weight", List.of(2L, 3L), 0, 1, 2, 3, 4, 5);
      assertFalse(apart.has("a.0.mlp.gate.weight"));
      fails(ErrorCode.MISSING_TENSOR, () -> apart.tensor("a.0.mlp.experts.down_proj"));
    }
  }

  private static void check(Checkpoint apart, String name, List<Long> shape, float... expected) {
    var tensor = apart.tensor(name);
    assertTrue(apart.has(name), name);
    assertEquals(shape, tensor.shape(), name);
    assertArrayEquals(expected, tensor.bytes().toArray(NUMBER), name);
  }

  @Test
  void expertsThatAreThereTwiceAreRefused() throws IOException {
    file.add("a.0.moe.experts.1.w3.weight", DType.F32, counting(6), 2, 3);
    try (var source = open()) {
      fails(ErrorCode.INVALID_CHECKPOINT, () -> new ExpertsApart(source, NAMES), "experts.1.w3");
    }
  }

  private static void fails(ErrorCode code, Runnable call, String... words) {
    var error = assertThrows(InferenceException.class, call::run);
    assertEquals(code, error.code(), error::toString);
    assertTrue(Arrays.stream(words).allMatch(error.toString()::contains), error::toString);
  }
}
