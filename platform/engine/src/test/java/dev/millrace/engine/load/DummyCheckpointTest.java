package dev.millrace.engine.load;

import static dev.millrace.engine.load.Faults.assertFails;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DummyCheckpointTest {
  @TempDir Path directory;

  @Test
  void matricesAreAboutNormal() throws IOException {
    try (var dummy = dummy("{}", 1)) {
      float[] values = matrix(dummy, "m.weight", 300, 700);
      double mean = 0;
      double square = 0;
      int within = 0;
      for (float value : values) {
        mean += value / values.length;
        square += (double) value * value / values.length;
        within += Math.abs(value) < 0.02 ? 1 : 0;
      }
      assertEquals(0, mean, 2e-4);
      assertEquals(0.02, Math.sqrt(square), 2e-4);
      assertEquals(0.683, (double) within / values.length, 0.02);
    }
  }

  @Test
  void equalSeedsAndNamesGiveEqualNumbers() throws IOException {
    try (var one = dummy("{}", 1);
        var same = dummy("{}", 1);
        var other = dummy("{}", 2)) {
      float[] values = matrix(one, "a.weight", 300, 700);
      matrix(same, "b.weight", 5, 5);
      assertArrayEquals(values, matrix(same, "a.weight", 300, 700));
      assertFalse(Arrays.equals(values, matrix(other, "a.weight", 300, 700)));
      assertFalse(Arrays.equals(values, matrix(one, "b.weight", 300, 700)));
    }
  }

  @Test
  void aReleasedTensorIsForgottenAndCanBeMadeAgain() throws IOException {
    try (var dummy = dummy("{}", 1)) {
      float[] values = matrix(dummy, "a.weight", 30, 70);
      dummy.expect("b.weight", 5, 5);
      var made = dummy.tensor("a.weight");
      dummy.release(made);
      assertEquals(Set.of("b.weight"), dummy.names());
      assertFalse(made.bytes().scope().isAlive());
      dummy.release(made);
      assertArrayEquals(values, matrix(dummy, "a.weight", 30, 70));
    }
  }

  @Test
  void normsAreOneAndBiasesZero() throws IOException {
    try (var dummy = dummy("{\"attention_bias\":true}", 1)) {
      dummy.expect("model.norm.weight", 3);
      dummy.expect("l.q_proj.bias", 2);
      assertArrayEquals(new float[] {1, 1, 1}, values(dummy.tensor("model.norm.weight")));
      assertArrayEquals(new float[] {0, 0}, values(dummy.tensor("l.q_proj.bias")));
      assertEquals(Set.of("model.norm.weight", "l.q_proj.bias"), dummy.names());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}                              | lm_head.weight     | true",
        "{\"tie_word_embeddings\":false} | lm_head.weight     | true",
        "{\"tie_word_embeddings\":true}  | lm_head.weight     | false",
        "{\"tie_word_embeddings\":true}  | embed_tokens.weight| true",
        "{}                              | l.q_proj.bias      | false",
        "{\"attention_bias\":true}       | l.q_proj.bias      | true",
        "{\"attention_bias\":true}       | l.o_proj.bias      | true",
        "{\"attention_bias\":true}       | l.up_proj.bias     | false",
        "{\"model_type\":\"qwen2\"}      | l.v_proj.bias      | true",
        "{\"model_type\":\"qwen2\"}      | l.o_proj.bias      | false",
        "{\"model_type\":\"qwen2\"}      | l.down_proj.bias   | false",
        "{\"model_type\":\"qwen\"}       | l.attn.c_attn.bias | true",
        "{\"model_type\":\"qwen\"}       | l.mlp.w1.bias      | false",
        "{\"model_type\":\"qwen\",\"no_bias\":false} | l.attn.c_proj.bias | true",
        "{\"mlp_bias\":true}             | l.down_proj.bias   | true",
        "{\"mlp_bias\":true}             | l.gate_up_proj.bias| true",
        "{\"mlp_bias\":true}             | l.k_proj.bias      | false",
        "{\"mlp_bias\":true}             | model.norm.bias    | false",
        "{\"model_type\":\"starcoder2\"} | l.c_fc.bias        | true",
        "{\"model_type\":\"starcoder2\"} | model.norm.bias    | true",
        "{\"model_type\":\"starcoder2\",\"use_bias\":false} | l.q_proj.bias | false",
        "{\"model_type\":\"starcoder2\",\"use_bias\":false} | l.input_layernorm.bias | true",
        "{}                              | model.norm.weight  | true",
        "{}                              | l.q_proj.qweight   | false",
        "{}                              | l.q_proj.weight_scale | false"
      })
  void theConfigurationSaysWhichTensorsThereAre(String config, String tensor, boolean there)
      throws IOException {
    try (var dummy = dummy(config, 0)) {
      assertEquals(there, dummy.has(tensor));
      dummy.expect(tensor, 4);
      if (there) {
        assertEquals(List.of(4L), dummy.tensor(tensor).shape());
      } else {
        assertFails(ErrorCode.MISSING_TENSOR, () -> dummy.tensor(tensor), tensor);
      }
    }
  }

  @Test
  void aTensorNobodyAnnouncedIsMissing() throws IOException {
    try (var dummy = dummy("{}", 0)) {
      assertTrue(dummy.has("a.weight"));
      assertFails(ErrorCode.MISSING_TENSOR, () -> dummy.tensor("a.weight"), "a.weight", "shape");
    }
  }

  @Test
  void nothingInItIsQuantized() throws IOException {
    try (var dummy = dummy("{\"quantization_config\":{\"bits\":4}}", 0)) {
      assertFalse(dummy.quantization().has("bits"));
    }
  }

  @Test
  void memoryThatIsNotThereIsSaidByName() throws IOException {
    try (var dummy = dummy("{}", 0)) {
      assertFails(
          ErrorCode.OUT_OF_MEMORY,
          () -> dummy.expect("big.weight", 1L << 25, 1L << 25),
          "big.weight",
          "MaxDirectMemorySize");
    }
  }

  private DummyCheckpoint dummy(String config, long seed) throws IOException {
    Files.writeString(directory.resolve("config.json"), config);
    return new DummyCheckpoint(JsonModelConfig.open(directory), seed);
  }

  private static float[] matrix(DummyCheckpoint dummy, String name, int rows, int cols) {
    dummy.expect(name, rows, cols);
    CheckpointTensor tensor = dummy.tensor(name);
    assertEquals(DType.BF16, tensor.dtype());
    assertEquals(List.of((long) rows, (long) cols), tensor.shape());
    return values(tensor);
  }

  private static float[] values(CheckpointTensor tensor) {
    float[] values = new float[(int) tensor.elements()];
    FloatCodec.BF16.decode(tensor.bytes(), 0, values, values.length);
    return values;
  }
}
