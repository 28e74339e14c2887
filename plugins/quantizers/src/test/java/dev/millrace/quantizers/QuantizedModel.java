package dev.millrace.quantizers;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.CheckpointWriter;
import dev.millrace.testkit.MemoryCheckpoint;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A tiny model of random weights, quantized, beside what its weights stand for: the former is what
 * is loaded, the latter what Hugging Face transformers was given.
 */
final class QuantizedModel {
  static final int VOCABULARY = 96;
  static final int[] PROMPT = {5, 17, 90, 3, 3, 41, 8, 77, 60, 12, 33, 2};

  private static final int HIDDEN = 64;
  private static final int LAYERS = 2;

  private final QuantizedKind kind;
  private final MemoryCheckpoint quantized = new MemoryCheckpoint();
  private final MemoryCheckpoint plain = new MemoryCheckpoint();

  QuantizedModel(QuantizedKind kind) {
    this.kind = kind;
    matrix("model.embed_tokens", VOCABULARY, HIDDEN, 8);
    for (int i = 0; i < LAYERS; i++) {
      String layer = "model.layers." + i + ".";
      matrix(layer + "self_attn.q_proj", 64, HIDDEN, 1);
      matrix(layer + "self_attn.k_proj", 32, HIDDEN, 1);
      matrix(layer + "self_attn.v_proj", 32, HIDDEN, 1);
      matrix(layer + "self_attn.o_proj", HIDDEN, 64, 1);
      vector(layer + "input_layernorm.weight", HIDDEN);
      vector(layer + "post_attention_layernorm.weight", HIDDEN);
      if (kind.mixture()) {
        vector(layer + "self_attn.q_norm.weight", 16);
        vector(layer + "self_attn.k_norm.weight", 16);
        matrix(layer + "mlp.gate", 4, HIDDEN, 1);
        for (int expert = 0; expert < 4; expert++) {
          feedForward(layer + "mlp.experts." + expert + ".");
        }
      } else {
        feedForward(layer + "mlp.");
      }
    }
    vector("model.norm.weight", HIDDEN);
    matrix("lm_head", VOCABULARY, HIDDEN, 1);
  }

  private void feedForward(String module) {
    matrix(module + "gate_proj", 128, HIDDEN, 1);
    matrix(module + "up_proj", 128, HIDDEN, 1);
    matrix(module + "down_proj", HIDDEN, 128, 1);
  }

  private void matrix(String name, int rows, int cols, double factor) {
    float[] weights = new float[rows * cols];
    var random = new SplittableRandom(name.hashCode());
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (random.nextGaussian() * factor / Math.sqrt(cols));
    }
    float[] stands = weights;
    if (kind.quantizes(name)) {
      stands = kind.write(name, rows, cols, weights, quantized);
    } else {
      quantized.floats(name + ".weight", DType.F32, List.of(rows, cols), weights);
    }
    plain.floats(name + ".weight", DType.F32, List.of(rows, cols), stands);
  }

  private void vector(String name, int length) {
    float[] numbers = new float[length];
    var random = new SplittableRandom(name.hashCode());
    for (int i = 0; i < length; i++) {
      numbers[i] = (float) (1 + random.nextGaussian() / 8);
    }
    quantized.floats(name, DType.F32, List.of(length), numbers);
    plain.floats(name, DType.F32, List.of(length), numbers);
  }

  /** Writes the directory that is loaded. */
  void write(Path folder) throws IOException {
    var config = config();
    config.put("quantization_config", kind.config());
    write(folder, config, quantized);
  }

  /** Writes the directory that transformers is given. */
  void writePlain(Path folder) throws IOException {
    write(folder, config(), plain);
  }

  private Map<String, Object> config() {
    var config = new LinkedHashMap<String, Object>();
    config.put("model_type", kind.mixture() ? "qwen3_moe" : "llama");
    config.put(
        "architectures", List.of(kind.mixture() ? "Qwen3MoeForCausalLM" : "LlamaForCausalLM"));
    config.put("vocab_size", VOCABULARY);
    config.put("hidden_size", HIDDEN);
    config.put("intermediate_size", 128);
    config.put("moe_intermediate_size", 128);
    config.put("num_hidden_layers", LAYERS);
    config.put("num_attention_heads", 4);
    config.put("num_key_value_heads", 2);
    config.put("head_dim", 16);
    config.put("hidden_act", "silu");
    config.put("max_position_embeddings", 256);
    config.put("rms_norm_eps", 1e-5);
    config.put("rope_theta", 10000.0);
    config.put("tie_word_embeddings", false);
    config.put("num_experts", 4);
    config.put("num_experts_per_tok", 2);
    config.put("norm_topk_prob", true);
    config.put("decoder_sparse_step", 1);
    config.put("mlp_only_layers", List.of());
    return config;
  }

  private static void write(Path folder, Map<String, Object> config, MemoryCheckpoint tensors)
      throws IOException {
    Files.createDirectories(folder);
    new ObjectMapper().writeValue(folder.resolve("config.json").toFile(), config);
    var all = new LinkedHashMap<String, CheckpointWriter.Tensor>();
    for (String name : tensors.names()) {
      var tensor = tensors.tensor(name);
      int[] shape = tensor.shape().stream().mapToInt(Long::intValue).toArray();
      byte[] bytes = tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
      all.put(name, new CheckpointWriter.Tensor(tensor.dtype(), shape, bytes));
    }
    CheckpointWriter.write(folder.resolve("model.safetensors"), all);
  }

  /** Writes the plain models of all kinds below a folder, for {@code transformers-logits.py}. */
  public static void main(String[] args) throws IOException {
    for (var kind : QuantizedKind.values()) {
      new QuantizedModel(kind).writePlain(Path.of(args[0]).resolve(kind.toString()));
    }
  }
}
