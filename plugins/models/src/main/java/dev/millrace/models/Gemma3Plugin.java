package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import java.util.Set;

/**
 * Gemma 3 (text): norms around both halves of a layer and on the heads of queries and keys; five
 * layers with a window and a rope of their own, then one without.
 */
public final class Gemma3Plugin implements ModelPlugin {
  @Override
  public Set<String> architectures() {
    return Set.of("Gemma3ForCausalLM", "gemma3_text");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    var shape = Gemma.shape(config);
    float cap = Gemma.cap(config, "attn");
    if (cap > 0) {
      throw Shape.unsupported(
          "attn_logit_softcapping is " + cap + "; Gemma 3 caps no scores, null would do");
    }
    var _ = everywhere(config, shape);
    var _ = nearby(config, shape);
    int every = config.integer("sliding_window_pattern", 6);
    // a linear rope does not lengthen what max_position_embeddings says, as it does in Llama
    return shape.spec(shape.maxContext(), Windows.inTurn(config, every));
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = Gemma.shape(config);
    Biases.require(config, shape, weights);
    var everywhere = everywhere(config, shape).rope();
    var nearby = nearby(config, shape).rope();
    return Decoder.bind(
            shape,
            weights,
            (i, layer) -> {
              int window = spec.layers().get(i).window();
              var rope = window == 0 ? everywhere : nearby;
              var attention = Gemma.attention(config, shape, window, rope);
              var self = layer.at("self_attn");
              return new DecoderLayer(
                  LayerNorms.around(shape, layer),
                  SelfAttention.apart(i, shape, attention, self)
                      .with(QueryKeyNorms.ofHeads(shape, self)),
                  FeedForward.gated(shape, layer.at("mlp")));
            })
        .withEmbeddingScale(Gemma.embeddingScale(shape))
        .withLogitCap(Gemma.cap(config, "final"));
  }

  /** The rope of layers that see all positions. */
  private static RopeSettings everywhere(ModelConfig config, Shape shape) {
    var scaling =
        config.has("rope_scaling")
            ? config.object("rope_scaling")
            : ropes(config).object("full_attention");
    return RopeSettings.of(config, scaling, config.real("rope_theta", 1e6), shape);
  }

  /** The rope of layers with a window. */
  private static RopeSettings nearby(ModelConfig config, Shape shape) {
    var scaling = ropes(config).object("sliding_attention");
    return RopeSettings.of(config, scaling, config.real("rope_local_base_freq", 1e4), shape);
  }

  private static ModelConfig ropes(ModelConfig config) {
    var ropes = config.object("rope_parameters");
    if (ropes.has("rope_theta") || ropes.has("rope_type")) {
      throw Shape.unsupported(
          "rope_parameters has one rope; Gemma 3 needs full_attention and sliding_attention in it");
    }
    return ropes;
  }
}
