package dev.millrace.engine.gguf;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A whole Llama of one layer and eight tokens, for tests that spoil it. */
final class TinyGguf {
  static final int HIDDEN = 32;
  static final int HEADS = 4;
  static final int TOKENS = 8;

  private TinyGguf() {}

  static GgufWriter writer() {
    var writer = metadata();
    writer.tensor("token_embd.weight", GgufTensorType.F16, HIDDEN, TOKENS);
    writer.tensor("output_norm.weight", GgufTensorType.F32, HIDDEN);
    writer.tensor("output.weight", GgufTensorType.Q8_0, HIDDEN, TOKENS);
    layer(writer);
    return writer;
  }

  static GgufWriter metadata() {
    var types = new ArrayList<>(List.of(3, 3, 1, 1, 1, 1, 1, 1));
    return new GgufWriter()
        .put("general.architecture", "llama")
        .put("general.alignment", 32)
        .put("llama.context_length", 64)
        .put("llama.embedding_length", HIDDEN)
        .put("llama.block_count", 1)
        .put("llama.feed_forward_length", 64)
        .put("llama.attention.head_count", HEADS)
        .put("llama.attention.head_count_kv", 2)
        .put("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .put("tokenizer.ggml.model", "gpt2")
        .put("tokenizer.ggml.pre", "llama-bpe")
        .put("tokenizer.ggml.tokens", List.of("<s>", "</s>", "a", "b", "c", "ab", "abc", "d"))
        .put("tokenizer.ggml.token_type", types)
        .put("tokenizer.ggml.merges", List.of("a b", "ab c"))
        .put("tokenizer.ggml.bos_token_id", 0)
        .put("tokenizer.ggml.eos_token_id", 1)
        .put("tokenizer.chat_template", "{{ messages[0].content }}");
  }

  private static void layer(GgufWriter writer) {
    for (String norm : List.of("attn_norm", "ffn_norm")) {
      writer.tensor("blk.0." + norm + ".weight", GgufTensorType.F32, HIDDEN);
    }
    writer.floats("blk.0.attn_q.weight", numbered(HIDDEN), HIDDEN, HIDDEN);
    writer.floats("blk.0.attn_k.weight", numbered(16), HIDDEN, 16);
    writer.tensor("blk.0.attn_v.weight", GgufTensorType.F16, HIDDEN, 16);
    writer.tensor("blk.0.attn_output.weight", GgufTensorType.F16, HIDDEN, HIDDEN);
    writer.tensor("blk.0.ffn_gate.weight", GgufTensorType.Q4_0, HIDDEN, 64);
    writer.tensor("blk.0.ffn_up.weight", GgufTensorType.Q4_0, HIDDEN, 64);
    writer.tensor("blk.0.ffn_down.weight", GgufTensorType.Q8_0, 64, HIDDEN);
  }

  /** Rows that hold their own number. */
  private static float[] numbered(int rows) {
    float[] values = new float[rows * HIDDEN];
    for (int row = 0; row < rows; row++) {
      Arrays.fill(values, row * HIDDEN, (row + 1) * HIDDEN, row);
    }
    return values;
  }
}
