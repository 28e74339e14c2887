package dev.millrace.engine.gguf;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The architectures that GGUF files name, and how they differ from Hugging Face's of them. */
enum GgufFamily {
  LLAMA("llama", "LlamaForCausalLM", "llama"),
  /** The same name in files, told apart by its experts. */
  MIXTRAL("llama", "MixtralForCausalLM", "mixtral"),
  QWEN2("qwen2", "Qwen2ForCausalLM", "qwen2"),
  QWEN3("qwen3", "Qwen3ForCausalLM", "qwen3"),
  QWEN3_MOE("qwen3moe", "Qwen3MoeForCausalLM", "qwen3_moe"),
  GEMMA("gemma", "GemmaForCausalLM", "gemma"),
  GEMMA2("gemma2", "Gemma2ForCausalLM", "gemma2"),
  GEMMA3("gemma3", "Gemma3ForCausalLM", "gemma3_text"),
  PHI3("phi3", "Phi3ForCausalLM", "phi3"),
  OLMO2("olmo2", "Olmo2ForCausalLM", "olmo2"),
  STARCODER2("starcoder2", "Starcoder2ForCausalLM", "starcoder2");

  private static final Map<String, String> LAYER =
      Map.ofEntries(
          Map.entry("attn_norm", "input_layernorm"),
          Map.entry("attn_q", "self_attn.q_proj"),
          Map.entry("attn_k", "self_attn.k_proj"),
          Map.entry("attn_v", "self_attn.v_proj"),
          Map.entry("attn_qkv", "self_attn.qkv_proj"),
          Map.entry("attn_output", "self_attn.o_proj"),
          Map.entry("attn_q_norm", "self_attn.q_norm"),
          Map.entry("attn_k_norm", "self_attn.k_norm"),
          Map.entry("ffn_norm", "post_attention_layernorm"),
          Map.entry("ffn_gate", "mlp.gate_proj"),
          Map.entry("ffn_up", "mlp.up_proj"),
          Map.entry("ffn_down", "mlp.down_proj"));

  private final String architecture;
  private final String className;
  private final String modelType;

  GgufFamily(String architecture, String className, String modelType) {
    this.architecture = architecture;
    this.className = className;
    this.modelType = modelType;
  }

  /** The modules of a layer that only this family has, or calls otherwise. */
  private Map<String, String> own() {
    return switch (this) {
      case LLAMA, QWEN2, QWEN3, GEMMA -> Map.of();
      case MIXTRAL ->
          Map.of(
              "ffn_gate_inp", "block_sparse_moe.gate",
              "ffn_gate_exps", "block_sparse_moe.experts.*.w1",
              "ffn_down_exps", "block_sparse_moe.experts.*.w2",
              "ffn_up_exps", "block_sparse_moe.experts.*.w3");
      case QWEN3_MOE ->
          Map.of(
              "ffn_gate_inp", "mlp.gate",
              "ffn_gate_exps", "mlp.experts.*.gate_proj",
              "ffn_down_exps", "mlp.experts.*.down_proj",
              "ffn_up_exps", "mlp.experts.*.up_proj");
      case GEMMA2, GEMMA3 ->
          Map.of(
              "post_attention_norm", "post_attention_layernorm",
              "ffn_norm", "pre_feedforward_layernorm",
              "post_ffw_norm", "post_feedforward_layernorm");
      case PHI3 -> Map.of("ffn_up", "mlp.gate_up_proj");
      case OLMO2 ->
          Map.of(
              "post_attention_norm", "post_attention_layernorm",
              "post_ffw_norm", "post_feedforward_layernorm");
      case STARCODER2 -> Map.of("ffn_up", "mlp.c_fc", "ffn_down", "mlp.c_proj");
    };
  }

  /**
   * The family of a file.
   *
   * @throws dev.millrace.spi.InferenceException {@code UNSUPPORTED_MODEL} if it is not served
   */
  static GgufFamily of(GgufMetadata metadata) {
    String type = metadata.text("general.type");
    if (type != null && !type.equals("model")) {
      throw metadata.unsupported("is a file of type " + type + ", not a whole model");
    }
    String architecture = metadata.neededText("general.architecture");
    boolean mixed = metadata.optionalInteger(architecture + ".expert_count").orElse(0) > 0;
    for (var family : values()) {
      if (family.architecture.equals(architecture) && !(family == LLAMA && mixed)) {
        return family;
      }
    }
    throw metadata.unsupported(
        "general.architecture is %s; known: %s"
            .formatted(
                architecture,
                Arrays.stream(values())
                    .map(family -> family.architecture)
                    .distinct()
                    .collect(Collectors.joining(", "))));
  }

  /** The prefix of its keys. */
  String architecture() {
    return architecture;
  }

  /** What {@code architectures} of a {@code config.json} says. */
  String className() {
    return className;
  }

  /** What {@code model_type} of a {@code config.json} says. */
  String modelType() {
    return modelType;
  }

  /** Whether rows of queries and keys are stored for a rope that turns neighbours. */
  boolean permuted() {
    return this == LLAMA || this == MIXTRAL;
  }

  boolean isGemma() {
    return this == GEMMA || this == GEMMA2 || this == GEMMA3;
  }

  /**
   * The name that Hugging Face gives to what a file stores, with a {@code *} for the number of an
   * expert; the same name if there is none.
   */
  String hubName(String stored) {
    int dot = stored.lastIndexOf('.');
    String module = dot < 0 ? stored : stored.substring(0, dot);
    String suffix = dot < 0 ? "" : stored.substring(dot);
    return switch (module) {
      case "token_embd" -> "model.embed_tokens" + suffix;
      case "output_norm" -> "model.norm" + suffix;
      case "output" -> "lm_head" + suffix;
      default -> {
        List<String> parts = List.of(module.split("\\.", 3));
        if (parts.size() != 3 || !parts.getFirst().equals("blk")) {
          yield stored;
        }
        String known = own().getOrDefault(parts.getLast(), LAYER.get(parts.getLast()));
        yield known == null ? stored : "model.layers." + parts.get(1) + "." + known + suffix;
      }
    };
  }
}
