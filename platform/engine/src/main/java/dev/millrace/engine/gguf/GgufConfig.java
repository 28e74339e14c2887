package dev.millrace.engine.gguf;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/** The {@code config.json} that Hugging Face would have for a model, of its metadata. */
final class GgufConfig {
  /** Settings that change what is computed and that no family here knows, with what is harmless. */
  private static final Map<String, Double> UNKNOWN =
      Map.ofEntries(
          Map.entry("attention.clamp_kqv", 0.0),
          Map.entry("attention.max_alibi_bias", 0.0),
          Map.entry("attention.output_scale", 0.0),
          Map.entry("attention.q_lora_rank", 0.0),
          Map.entry("attention.kv_lora_rank", 0.0),
          Map.entry("logit_scale", 0.0),
          Map.entry("embedding_scale", 0.0),
          Map.entry("residual_scale", 0.0),
          Map.entry("expert_shared_count", 0.0),
          Map.entry("expert_group_count", 0.0),
          Map.entry("leading_dense_block_count", 0.0),
          Map.entry("nextn_predict_layers", 0.0),
          Map.entry("expert_weights_scale", 1.0),
          Map.entry("expert_gating_func", 1.0));

  private final GgufParts parts;
  private final GgufMetadata metadata;
  private final GgufFamily family;
  private final ObjectNode config = JsonNodeFactory.instance.objectNode();

  private GgufConfig(GgufParts parts, GgufFamily family) {
    this.parts = parts;
    this.metadata = parts.metadata();
    this.family = family;
  }

  /**
   * The configuration.
   *
   * @throws dev.millrace.spi.InferenceException {@code INVALID_CHECKPOINT} naming a key that is
   *     missing or mistyped, {@code UNSUPPORTED_MODEL} naming a setting that is not served
   */
  static ObjectNode of(GgufParts parts, GgufFamily family) {
    var all = new GgufConfig(parts, family);
    all.refuseUnknown();
    all.sizes();
    all.ofFamily();
    return all.config;
  }

  private void refuseUnknown() {
    UNKNOWN.forEach((name, harmless) -> {
      double found = metadata.real(key(name), harmless);
      if (found != harmless) {
        throw metadata.unsupported(
            "%s is %s; supported is %s".formatted(key(name), found, harmless));
      }
    });
    if (!metadata.flag(key("attention.causal"), true)) {
      throw metadata.unsupported(key("attention.causal") + " is false; supported is true");
    }
  }

  private void sizes() {
    config.putArray("architectures").add(family.className());
    config.put("model_type", family.modelType());
    int hidden = positive("embedding_length");
    int heads = positive("attention.head_count");
    int headDim = headDim(hidden, heads);
    config.put("hidden_size", hidden);
    config.put("num_hidden_layers", positive("block_count"));
    config.put("num_attention_heads", heads);
    config.put(
        "num_key_value_heads",
        metadata.has(key("attention.head_count_kv")) ? positive("attention.head_count_kv") : heads);
    config.put("head_dim", headDim);
    config.put("intermediate_size", positive("feed_forward_length"));
    config.put("max_position_embeddings", positive("context_length"));
    config.put("vocab_size", vocabulary());
    config.put("tie_word_embeddings", !parts.has("output.weight"));
    new GgufRope(parts, family).describe(config, headDim);
    int window = metadata.optionalInteger(key("attention.sliding_window")).orElse(0);
    if (window != 0) {
      config.put("sliding_window", window);
    }
  }

  private int headDim(int hidden, int heads) {
    if (!metadata.has(key("attention.key_length"))) {
      if (hidden % heads != 0) {
        throw metadata.wrong(
            "%s %d is no multiple of the %d heads"
                .formatted(key("embedding_length"), hidden, heads));
      }
      return hidden / heads;
    }
    int keys = positive("attention.key_length");
    int values = metadata.optionalInteger(key("attention.value_length")).orElse(keys);
    if (keys != values) {
      throw metadata.unsupported(
          "%s is %d and %s %d; supported is the same for both"
              .formatted(key("attention.key_length"), keys, key("attention.value_length"), values));
    }
    return keys;
  }

  /** As many as there are rows; the key is not always there. */
  private int vocabulary() {
    var shape = parts.tensor("token_embd.weight").shape();
    if (shape.size() != 2 || shape.getFirst() < 1 || shape.getFirst() > Integer.MAX_VALUE) {
      throw metadata.wrong("token_embd.weight is " + shape + ", not rows of tokens");
    }
    return shape.getFirst().intValue();
  }

  private void ofFamily() {
    switch (family) {
      case STARCODER2 -> {
        config.put("norm_epsilon", metadata.real(key("attention.layer_norm_epsilon"), 1e-5));
        config.put("use_bias", parts.has("blk.0.attn_q.bias"));
      }
      case LLAMA, QWEN2, QWEN3, MIXTRAL, QWEN3_MOE, GEMMA, GEMMA2, GEMMA3, PHI3, OLMO2 -> {
        String eps = key("attention.layer_norm_rms_epsilon");
        if (!metadata.has(eps)) {
          throw metadata.wrong(eps + " is missing; a number is needed");
        }
        config.put("rms_norm_eps", metadata.real(eps, 0));
      }
    }
    switch (family) {
      case MIXTRAL -> experts("num_local_experts");
      case QWEN3_MOE -> {
        experts("num_experts");
        config.put("moe_intermediate_size", positive("expert_feed_forward_length"));
        config.put("norm_topk_prob", metadata.flag(key("expert_weights_norm"), true));
      }
      case GEMMA, GEMMA2, GEMMA3 -> gemma();
      case OLMO2 -> refuseWindow();
      case QWEN2, QWEN3 -> config.put("use_sliding_window", false);
      case LLAMA, PHI3, STARCODER2 -> {}
    }
  }

  private void experts(String count) {
    config.put(count, positive("expert_count"));
    config.put("num_experts_per_tok", positive("expert_used_count"));
  }

  private void gemma() {
    // files do not say what scores are divided by; only the largest models do not use head_dim
    int layers = config.get("num_hidden_layers").intValue();
    boolean largest = family == GgufFamily.GEMMA2 ? layers == 46 : layers == 62;
    int width = config.get("hidden_size").intValue() / config.get("num_attention_heads").intValue();
    int scalar = largest ? width : config.get("head_dim").intValue();
    double scale = metadata.real(key("attention.scale"), 0);
    config.put("query_pre_attn_scalar", scale == 0 ? scalar : 1 / (scale * scale));
    cap("attn_logit_softcapping", 50);
    cap("final_logit_softcapping", 30);
    if (family == GgufFamily.GEMMA3) {
      boolean slides = config.has("sliding_window");
      config.put("sliding_window_pattern", slides ? 6 : 1);
    }
  }

  /** Gemma 2 has caps even where the file does not say so. */
  private void cap(String name, double usual) {
    double cap = metadata.real(key(name), family == GgufFamily.GEMMA2 ? usual : 0);
    if (cap != 0) {
      config.put(name, cap);
    }
  }

  private void refuseWindow() {
    if (config.has("sliding_window")) {
      throw metadata.unsupported(
          key("attention.sliding_window") + " is set; this family is served without");
    }
  }

  private int positive(String name) {
    int value = metadata.integer(key(name));
    if (value < 1) {
      throw metadata.wrong(key(name) + " is " + value + ", it must be at least 1");
    }
    return value;
  }

  private String key(String name) {
    return family.architecture() + "." + name;
  }
}
