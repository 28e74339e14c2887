package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import java.util.Set;

/**
 * Gemma 2: norms around both halves of a layer, a window on every other layer, attention scores and
 * logits capped softly.
 */
public final class Gemma2Plugin implements ModelPlugin {
  @Override
  public Set<String> architectures() {
    return Set.of("Gemma2ForCausalLM", "gemma2");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    return Gemma.shape(config).spec(config, Windows.inTurn(config, 2));
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = Gemma.shape(config);
    Biases.require(config, shape, weights);
    var rope = RopeSettings.of(config, shape).rope();
    return Decoder.bind(
            shape,
            weights,
            (i, layer) -> {
              int window = spec.layers().get(i).window();
              var attention = Gemma.attention(config, shape, window, rope);
              return new DecoderLayer(
                  LayerNorms.around(shape, layer),
                  SelfAttention.apart(i, shape, attention, layer.at("self_attn")),
                  FeedForward.gated(shape, layer.at("mlp")));
            })
        .withEmbeddingScale(Gemma.embeddingScale(shape))
        .withLogitCap(Gemma.cap(config, "final"));
  }
}
