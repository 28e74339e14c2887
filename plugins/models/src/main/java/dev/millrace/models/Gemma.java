package dev.millrace.models;

import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Rope;

/**
 * What the Gemmas share: norms that store weight − 1, embeddings scaled by the root of their width,
 * a head tied to them.
 */
final class Gemma {
  private Gemma() {}

  static Shape shape(ModelConfig config) {
    // a token that sees later ones cannot be computed before they are there
    Settings.off(config, "use_bidirectional_attention");
    Settings.needed(config, "num_key_value_heads", "head_dim", "max_position_embeddings");
    // where a file has both, hidden_act is what the first release said by mistake
    String activation = config.has("hidden_activation") ? "hidden_activation" : "hidden_act";
    return Shape.of(
        config,
        new Dialect(Norm.Kind.RMS, 1, "rms_norm_eps", 1e-6, activation, "gelu_pytorch_tanh", true));
  }

  /** The attention of Gemma 2 and 3, whose scale is a setting and whose scores may be capped. */
  static Attention attention(ModelConfig config, Shape shape, int window, Rope rope) {
    double scalar = config.real("query_pre_attn_scalar", 256);
    if (!(scalar > 0)) {
      throw Shape.unsupported("query_pre_attn_scalar is " + scalar + ", it must be above 0");
    }
    float scale = (float) (1 / Math.sqrt(scalar));
    return new Attention(shape.headDim(), scale, window, cap(config, "attn"), rope);
  }

  /** The scale that transformers keeps in F32. */
  static float embeddingScale(Shape shape) {
    return (float) Math.sqrt(shape.hidden());
  }

  /** {@code attn_logit_softcapping} or {@code final_logit_softcapping}; 0: none. */
  static float cap(ModelConfig config, String which) {
    String key = which + "_logit_softcapping";
    double cap = config.real(key, 0);
    if (config.has(key) && !(cap > 0)) {
      throw Shape.unsupported(key + " is " + cap + ", it must be above 0 or null");
    }
    return (float) cap;
  }
}
