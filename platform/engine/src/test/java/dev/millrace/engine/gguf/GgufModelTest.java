package dev.millrace.engine.gguf;

import static dev.millrace.engine.gguf.GgufFaults.assertInvalid;
import static dev.millrace.engine.gguf.GgufFaults.assertRefused;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.load.GgufCheckpoint;
import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.DType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a file says, in the terms of Hugging Face; and files that say too little or nonsense. */
class GgufModelTest {
  @TempDir Path directory;
  private Path file = Path.of("");

  @BeforeEach
  void nameTheFile() {
    file = directory.resolve("model.gguf");
  }

  @Test
  void theConfigurationIsThatOfTheMetadata() {
    var config = GgufModel.open(TinyGguf.writer().write(file)).config();
    assertEquals("LlamaForCausalLM", config.at("/architectures/0").textValue());
    assertEquals(8, config.get("head_dim").intValue());
    assertEquals(2, config.get("num_key_value_heads").intValue());
    assertEquals(8, config.get("vocab_size").intValue());
    assertEquals(64, config.get("max_position_embeddings").intValue());
    assertEquals(1e-5f, config.get("rms_norm_eps").floatValue());
    assertEquals(10_000, config.get("rope_theta").doubleValue());
    assertEquals(false, config.get("tie_word_embeddings").booleanValue());
  }

  @Test
  void tensorsHaveTheNamesAndShapesOfTheHub() {
    var model = GgufModel.open(TinyGguf.writer().write(file));
    assertTrue(model.quantized());
    long plain = 2 * (8 * 32 + 16 * 32 + 32 * 32) + 4 * (3 * 32 + 32 * 32 + 16 * 32);
    long blocks = 9 * (8 * 32 + 64 * 32) / 8 + 5 * 2 * 64 * 32 / 8;
    assertEquals(plain + blocks, model.bytesInMemory());
    try (var arena = Arena.ofConfined()) {
      var tensors = model.map(new MappedFiles(arena));
      var table = tensors.tensor("model.embed_tokens.weight", arena::allocate);
      assertEquals(DType.F16, table.dtype());
      assertEquals(List.of(8L, 32L), table.shape());
      var down = tensors.tensor("model.layers.0.mlp.down_proj.q8_0", arena::allocate);
      assertEquals(DType.U8, down.dtype());
      assertEquals(List.of(32L, 68L), down.shape());
      assertEquals(32 * 68, down.bytes().byteSize());
      assertTrue(tensors.names().contains("model.layers.0.post_attention_layernorm.weight"));
      var error =
          assertThrows(
              InferenceException.class, () -> tensors.tensor("lm_head.bias", arena::allocate));
      assertEquals(ErrorCode.MISSING_TENSOR, error.code());
    }
  }

  @Test
  void rowsOfQueriesAndKeysAreInHalvesAgain() {
    var model = GgufModel.open(TinyGguf.writer().write(file));
    try (var arena = Arena.ofConfined()) {
      var tensors = model.map(new MappedFiles(arena));
      for (String name : List.of("q_proj", "k_proj")) {
        var tensor =
            tensors.tensor("model.layers.0.self_attn." + name + ".weight", arena::allocate);
        for (int row = 0; row < 8; row++) {
          float number = tensor.bytes().get(ValueLayout.JAVA_FLOAT_UNALIGNED, (8 + row) * 128L);
          assertEquals(8 + (row < 4 ? 2 * row : 2 * (row - 4) + 1), number, name + row);
        }
      }
    }
  }

  @Test
  void rowsInHalvesAreLetGoAndMadeAgain() {
    try (var checkpoint = GgufCheckpoint.open(GgufModel.open(TinyGguf.writer().write(file)))) {
      var copied = checkpoint.tensor("model.layers.0.self_attn.q_proj.weight");
      byte[] bytes = copied.bytes().toArray(ValueLayout.JAVA_BYTE);
      checkpoint.release(copied);
      assertFalse(copied.bytes().scope().isAlive());
      var again = checkpoint.tensor(copied.name());
      assertArrayEquals(bytes, again.bytes().toArray(ValueLayout.JAVA_BYTE));
      var mapped = checkpoint.tensor("model.layers.0.mlp.down_proj.q8_0");
      checkpoint.release(mapped);
      assertTrue(mapped.bytes().scope().isAlive());
    }
  }

  @Test
  void aFileThatShrinksIsNotReadBeyondItsEnd() throws IOException {
    var model = GgufModel.open(TinyGguf.writer().write(file));
    try (var shrunk = new RandomAccessFile(file.toFile(), "rw")) {
      shrunk.setLength(shrunk.length() - 64);
    }
    try (var arena = Arena.ofConfined()) {
      var tensors = model.map(new MappedFiles(arena));
      var error =
          assertThrows(
              InferenceException.class,
              () -> tensors.tensor("model.layers.0.mlp.down_proj.q8_0", arena::allocate));
      assertEquals(ErrorCode.INVALID_CHECKPOINT, error.code());
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "general.architecture",
        "llama.context_length",
        "llama.embedding_length",
        "llama.block_count",
        "llama.feed_forward_length",
        "llama.attention.head_count",
        "llama.attention.layer_norm_rms_epsilon",
        "tokenizer.ggml.model",
        "tokenizer.ggml.pre",
        "tokenizer.ggml.tokens",
        "tokenizer.ggml.token_type",
        "tokenizer.ggml.merges"
      })
  void aMissingKeyIsNamed(String key) {
    TinyGguf.writer().remove(key).write(file);
    var error = assertThrows(InferenceException.class, () -> GgufModel.open(file).tokenizer());
    assertEquals(ErrorCode.INVALID_CHECKPOINT, error.code());
    assertTrue(String.valueOf(error.getMessage()).contains(key), error.toString());
  }

  @Test
  void keysOfAnotherKindAreNamed() {
    Map.<String, Object>of(
            "llama.block_count",
            "two",
            "llama.embedding_length",
            32.0f,
            "llama.attention.head_count",
            List.of(4, 4),
            "llama.context_length",
            -1L,
            "llama.feed_forward_length",
            1L << 40,
            "llama.rope.freq_base",
            "many",
            "tokenizer.ggml.tokens",
            List.of(1, 2),
            "tokenizer.ggml.token_type",
            List.of("a"),
            "tokenizer.ggml.bos_token_id",
            8)
        .forEach((key, value) -> {
          TinyGguf.writer().put(key, value).write(file);
          var error =
              assertThrows(
                  InferenceException.class,
                  () -> GgufModel.open(file).tokenizer(),
                  () -> key + " " + value);
          assertEquals(ErrorCode.INVALID_CHECKPOINT, error.code());
          assertTrue(String.valueOf(error.getMessage()).contains(key), error.toString());
        });
  }

  @Test
  void whatIsNotServedIsNamed() {
    Map.<String, Object>of(
            "general.architecture",
            "mamba",
            "general.type",
            "adapter",
            "llama.attention.clamp_kqv",
            8f,
            "llama.logit_scale",
            0.5f,
            "llama.attention.causal",
            false,
            "llama.attention.value_length",
            16,
            "llama.rope.scaling.type",
            "dynamic",
            "tokenizer.ggml.model",
            "t5")
        .forEach((key, value) -> {
          var writer = TinyGguf.writer().put(key, value);
          writer.put("llama.attention.key_length", 8).write(file);
          assertRefused(ErrorCode.UNSUPPORTED_MODEL, file, String.valueOf(value));
        });
    TinyGguf.writer().put("tokenizer.ggml.pre", "klingon").write(file);
    var error = assertThrows(InferenceException.class, () -> GgufModel.open(file).tokenizer());
    assertEquals(ErrorCode.UNSUPPORTED_MODEL, error.code());
    assertTrue(String.valueOf(error.getMessage()).contains("klingon"), error.toString());
  }

  @Test
  void vocabulariesThatContradictThemselvesAreRefused() {
    var tokens = List.of("<s>", "</s>", "a", "b", "c", "ab", "abc", "abc");
    byte[] twice = TinyGguf.writer().put("tokenizer.ggml.tokens", tokens).bytes();
    assertInvalid(file, twice, "abc twice", "6 and 7");
    byte[] kind =
        TinyGguf.writer().put("tokenizer.ggml.token_type", List.of(3, 3, 1, 1, 1, 1, 1, 7)).bytes();
    assertInvalid(file, kind, "token 7 is 7");
    byte[] few = TinyGguf.writer().put("tokenizer.ggml.token_type", List.of(3, 3)).bytes();
    assertInvalid(file, few, "2 entries for 8 tokens");
    var many = List.of("<s>", "</s>", "a", "b", "c", "ab", "abc", "d", "e");
    byte[] rows = TinyGguf.writer().put("tokenizer.ggml.tokens", many).bytes();
    assertInvalid(file, rows, "9 tokens", "8 rows");
  }

  @Test
  void modelsWithoutATableAreRefused() {
    var writer = TinyGguf.metadata().tensor("output_norm.weight", GgufTensorType.F32, 32);
    writer.write(file);
    assertRefused(ErrorCode.MISSING_TENSOR, file, "token_embd.weight");
    TinyGguf.metadata().tensor("token_embd.weight", GgufTensorType.F32, 32).write(file);
    assertRefused(ErrorCode.INVALID_CHECKPOINT, file, "token_embd.weight is [32]");
  }

  @Test
  void headsThatDoNotMakeUpAMatrixAreRefused() {
    var writer = TinyGguf.metadata().put("llama.attention.head_count_kv", 3);
    writer.tensor("token_embd.weight", GgufTensorType.F16, 32, 8);
    writer.tensor("blk.0.attn_k.weight", GgufTensorType.F16, 32, 16).write(file);
    assertRefused(ErrorCode.INVALID_CHECKPOINT, file, "blk.0.attn_k.weight", "3 heads");
  }
}
