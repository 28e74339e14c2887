package dev.millrace.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.CheckpointWriter;
import dev.millrace.testkit.GoldenModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/**
 * Makes the very file that llama.cpp's converter made of a golden model: what comes before the
 * tensors is kept, the weights are a formula, and the digest proves the whole.
 */
record GgufRecipe(JsonNode recipe, GoldenModel golden) {
  private static final Map<String, String> LLAMA =
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
          Map.entry("post_attention_norm", "post_attention_layernorm"),
          Map.entry("post_ffw_norm", "post_feedforward_layernorm"),
          Map.entry("ffn_gate", "mlp.gate_proj"),
          Map.entry("ffn_up", "mlp.up_proj"),
          Map.entry("ffn_down", "mlp.down_proj"),
          Map.entry("ffn_gate_inp", "mlp.gate"),
          Map.entry("ffn_down_exps", "mlp.experts.down_proj"),
          Map.entry("ffn_gate_exps", "mlp.experts.gate_up_proj"),
          Map.entry("ffn_up_exps", "mlp.experts.gate_up_proj"));

  static GgufRecipe of(String name, String kind) throws IOException {
    Path packed = Path.of("src/test/resources/gguf", name + "." + kind + ".json.gz");
    try (var in = new GZIPInputStream(Files.newInputStream(packed))) {
      return new GgufRecipe(new ObjectMapper().readTree(in), Goldens.read(name));
    }
  }

  /** Writes the file. */
  Path write(Path file) throws IOException {
    byte[] head = recipe.get("head").binaryValue();
    byte[] whole = Arrays.copyOf(head, recipe.get("bytes").intValue());
    var weights = golden.tensors(DType.F32);
    for (JsonNode tensor : recipe.get("tensors")) {
      byte[] bytes = bytes(tensor, weights);
      System.arraycopy(bytes, 0, whole, head.length + tensor.get(2).intValue(), bytes.length);
    }
    assertEquals(recipe.get("sha256").textValue(), digest(whole));
    return Files.write(file, whole);
  }

  private byte[] bytes(JsonNode tensor, Map<String, CheckpointWriter.Tensor> weights)
      throws IOException {
    if (tensor.has(3)) {
      return tensor.get(3).binaryValue();
    }
    String stored = tensor.get(0).textValue();
    var weight = Objects.requireNonNull(weights.get(hubName(stored)), stored);
    float[] values = floats(weight.bytes());
    int rows = weight.shape()[0];
    if (stored.contains("ffn_gate_exps") || stored.contains("ffn_up_exps")) {
      values = half(values, rows, stored.contains("ffn_up_exps"));
    } else if (type().startsWith("gemma") && stored.endsWith("norm.weight")) {
      for (int i = 0; i < values.length; i++) {
        values[i]++;
      }
    } else if (type().matches("llama|mi[sx]tral") && stored.contains("attn_q.")) {
      values = paired(values, rows, golden.config().get("num_attention_heads").intValue());
    } else if (type().matches("llama|mi[sx]tral") && stored.contains("attn_k.")) {
      values = paired(values, rows, golden.config().get("num_key_value_heads").intValue());
    }
    return encoded(values, tensor.get(1).textValue());
  }

  private String type() {
    return golden.config().get("model_type").textValue();
  }

  private String hubName(String stored) {
    int dot = stored.lastIndexOf('.');
    String suffix = stored.substring(dot);
    String module = stored.substring(0, dot);
    return switch (module) {
      case "token_embd" -> "model.embed_tokens" + suffix;
      case "output_norm" -> "model.norm" + suffix;
      case "output" -> "lm_head" + suffix;
      default -> {
        String[] parts = module.split("\\.", 3);
        String rest = LLAMA.get(parts[2]);
        if (type().matches("gemma[23].*") && parts[2].equals("ffn_norm")) {
          rest = "pre_feedforward_layernorm";
        } else if (type().equals("phi3") && parts[2].equals("ffn_up")) {
          rest = "mlp.gate_up_proj";
        } else if (type().equals("starcoder2") && parts[2].startsWith("ffn_")) {
          rest =
              Map.of("ffn_up", "mlp.c_fc", "ffn_down", "mlp.c_proj").getOrDefault(parts[2], rest);
        }
        boolean experts = parts[2].endsWith("_exps");
        yield "model.layers." + parts[1] + "." + rest + (experts ? "" : suffix);
      }
    };
  }

  /** The first or second half of the rows of each expert. */
  private static float[] half(float[] values, int experts, boolean second) {
    int each = values.length / experts / 2;
    float[] half = new float[values.length / 2];
    for (int i = 0; i < experts; i++) {
      System.arraycopy(values, (2 * i + (second ? 1 : 0)) * each, half, i * each, each);
    }
    return half;
  }

  /** The rows of each head, so that those that are turned together are neighbours. */
  private static float[] paired(float[] values, int rows, int heads) {
    int cols = values.length / rows;
    int width = rows / heads;
    float[] paired = new float[values.length];
    for (int row = 0; row < rows; row++) {
      int within = row % width;
      int target = row - within + within % (width / 2) * 2 + within / (width / 2);
      System.arraycopy(values, row * cols, paired, target * cols, cols);
    }
    return paired;
  }

  private static float[] floats(byte[] bytes) {
    float[] values = new float[bytes.length / 4];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  private static byte[] encoded(float[] values, String type) {
    int size = type.equals("F32") ? 4 : 2;
    var out = ByteBuffer.allocate(values.length * size).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      switch (type) {
        case "F32" -> out.putFloat(value);
        case "F16" -> out.putShort(Float.floatToFloat16(value));
        case "BF16" -> out.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
        default -> throw new IllegalArgumentException(type);
      }
    }
    return out.array();
  }

  private static String digest(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
