package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import java.util.Set;

/**
 * OLMo2: a Llama that normalises what comes out of attention and feed-forward, not what goes in,
 * and queries and keys over all their heads.
 */
public final class Olmo2Plugin implements ModelPlugin {
  @Override
  public Set<String> architectures() {
    return Set.of("Olmo2ForCausalLM", "olmo2");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    return shape(config).spec(config);
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = shape(config);
    Biases.require(config, shape, weights);
    var attention = shape.attention(0, RopeSettings.of(config, shape).rope());
    return Decoder.bind(
        shape,
        weights,
        (i, layer) -> {
          var self = layer.at("self_attn");
          return new DecoderLayer(
              LayerNorms.after(shape, layer),
              SelfAttention.apart(i, shape, attention, self)
                  .with(QueryKeyNorms.ofRows(shape, self)),
              FeedForward.gated(shape, layer.at("mlp")));
        });
  }

  private static Shape shape(ModelConfig config) {
    return Shape.of(config, Dialect.llama(1e-5));
  }
}
