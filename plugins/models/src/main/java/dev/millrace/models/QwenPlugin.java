package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Rope;
import java.util.Set;

/**
 * The original Qwen: a Llama without grouped heads, with queries, keys and values in one biased
 * matrix, and other names for everything. {@code w2} is the gate, {@code w1} is what it multiplies.
 *
 * <p>Its files ask for a dynamic rope and for scaled queries ({@code use_dynamic_ntk}, {@code
 * use_logn_attn}). Both begin beyond {@code seq_length} and are the identity up to there, so they
 * are never needed here: {@code seq_length} is the longest context, whatever {@code
 * max_position_embeddings} says.
 *
 * @see <a href="https://huggingface.co/Qwen/Qwen-7B-Chat/blob/main/modeling_qwen.py">its model</a>
 */
public final class QwenPlugin implements ModelPlugin {
  private static final Decoder.Names NAMES = new Decoder.Names("transformer", "h", "wte", "ln_f");

  @Override
  public Set<String> architectures() {
    return Set.of("QWenLMHeadModel", "qwen");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    var shape = shape(config);
    var _ = rope(config, shape);
    return shape.spec(shape.maxContext(), _ -> 0);
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = shape(config);
    var attention = shape.attention(0, rope(config, shape));
    boolean biased = !config.flag("no_bias", true);
    return Decoder.bind(
        shape,
        NAMES,
        weights,
        (i, layer) -> {
          Biases.requireOf(layer, "attn.c_attn", 3 * shape.queryWidth());
          if (biased) {
            Biases.requireOf(layer, "attn.c_proj", shape.hidden());
            Biases.requireOf(layer, "mlp.w1", shape.inner());
            Biases.requireOf(layer, "mlp.w2", shape.inner());
            Biases.requireOf(layer, "mlp.c_proj", shape.hidden());
          }
          return new DecoderLayer(
              LayerNorms.before("ln_1", "ln_2", shape, layer),
              SelfAttention.fused("c_attn", "c_proj", i, shape, attention, layer.at("attn")),
              FeedForward.gated("w2", "w1", "c_proj", shape, layer.at("mlp")));
        });
  }

  private static Shape shape(ModelConfig config) {
    for (String part : new String[] {"visual", "audio"}) {
      if (config.has(part)) {
        throw Shape.unsupported(part + " is there; text is served, pictures and sounds are not");
      }
    }
    if (!config.flag("scale_attn_weights", true)) {
      throw Shape.unsupported("scale_attn_weights is false; supported is true");
    }
    int hidden = Shape.positive(config, "hidden_size");
    int heads = Shape.positive(config, "num_attention_heads");
    int channels = Shape.positive(config, "kv_channels");
    if ((long) heads * channels != hidden) {
      throw Shape.unsupported(
          "kv_channels is %d; with %d heads and hidden_size %d it must be hidden_size / heads"
              .formatted(channels, heads, hidden));
    }
    int both = Shape.positive(config, "intermediate_size");
    if (both % 2 != 0) {
      throw Shape.unsupported("intermediate_size is " + both + "; w1 and w2 have half of it each");
    }
    return new Shape(
        hidden,
        Shape.positive(config, "num_hidden_layers"),
        heads,
        heads,
        channels,
        both / 2,
        Shape.positive(config, "vocab_size"),
        Shape.positive(config, "seq_length"),
        new NormStyle(Norm.Kind.RMS, (float) config.real("layer_norm_epsilon", 1e-6), 0),
        Activation.SILU,
        config.flag("tie_word_embeddings", false));
  }

  private static Rope rope(ModelConfig config, Shape shape) {
    double base = config.real("rotary_emb_base", 10_000);
    double part = config.real("rotary_pct", 1);
    return RopeSettings.plain("rotary_pct", part, base, config, shape).rope();
  }
}
