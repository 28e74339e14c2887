package dev.millrace.engine.gguf;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.fuzz.Fuzz;
import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.engine.text.ChatTemplate;
import dev.millrace.engine.text.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** GGUF files that are spoilt anywhere: read to the last byte, or refused by name. */
class GgufFuzzTest {
  private static final int HEADER = 2_200;

  @TempDir Path directory;

  @Test
  void spoiltFilesAreReadOrRefused() throws IOException {
    var samples = List.of(TinyGguf.writer().bytes(), pieces().bytes(), mixture().bytes());
    var words =
        List.of(
            "llama.block_count",
            "general.architecture",
            "gemma2",
            "qwen3moe",
            "phi3",
            "blk.0.attn_q.weight",
            "token_embd.weight",
            "rope_freqs.weight",
            "tokenizer.ggml.tokens",
            "tokenizer.ggml.scores",
            "split.count",
            "{{ 1 // 0 }}",
            "\u2581");
    int sound =
        Fuzz.run(directory.resolve("model.gguf"), samples, HEADER, words, GgufFuzzTest::readAll);
    assertTrue(sound > 0, "nothing was read: the samples are not sound");
  }

  private static void readAll(Path file) {
    var model = GgufModel.open(file);
    var config = model.tokenizerConfig();
    var _ = model.generation();
    var _ = ChatTemplate.of(config, file);
    try (var tokenizer = Tokenizer.of(model.tokenizer(), config, file)) {
      int[] ids = tokenizer.encode("abcd \u00e9 <s>", true);
      var _ = tokenizer.decode(ids, false);
    }
    try (var arena = Arena.ofConfined()) {
      var tensors = model.map(new MappedFiles(arena));
      for (String name : tensors.names()) {
        var bytes = tensors.tensor(name, arena::allocate).bytes();
        if (bytes.byteSize() > 0) {
          var _ = bytes.get(ValueLayout.JAVA_BYTE, 0);
          var _ = bytes.get(ValueLayout.JAVA_BYTE, bytes.byteSize() - 1);
        }
      }
    }
  }

  private static GgufWriter pieces() {
    return TinyGguf.writer()
        .put("general.architecture", "llama")
        .put("tokenizer.ggml.model", "llama")
        .put("tokenizer.ggml.tokens", List.of("<s>", "</s>", "a", "b", "c", "ab", "abc", "<0x41>"))
        .put("tokenizer.ggml.token_type", List.of(2, 3, 1, 1, 1, 1, 1, 6))
        .put("tokenizer.ggml.scores", Collections.nCopies(8, -1f))
        .put("llama.rope.scaling.type", "yarn")
        .put("llama.rope.scaling.factor", 4f)
        .put("llama.rope.scaling.original_context_length", 32);
  }

  private static GgufWriter mixture() {
    return TinyGguf.writer()
        .put("llama.expert_count", 2)
        .put("llama.expert_used_count", 1)
        .floats("rope_freqs.weight", new float[] {1, 2, 4, 8}, 4)
        .tensor("blk.0.ffn_gate_inp.weight", GgufTensorType.F32, 32, 2)
        .tensor("blk.0.ffn_gate_exps.weight", GgufTensorType.Q4_0, 32, 32, 2)
        .tensor("blk.0.ffn_down_exps.weight", GgufTensorType.F16, 32, 32, 2)
        .tensor("blk.0.ffn_up_exps.weight", GgufTensorType.Q4_0, 32, 32, 2);
  }
}
