package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import java.util.List;
import java.util.Set;

/**
 * Phi-3, 3.5 and 4 (text): a Llama with fused matrices, LongRoPE, and heads that may be rotated in
 * part.
 */
public final class Phi3Plugin implements ModelPlugin {
  private static final List<String> ROPES = List.of("default", "longrope");

  @Override
  public Set<String> architectures() {
    return Set.of("Phi3ForCausalLM", "phi3");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    var shape = shape(config);
    int window = Windows.size(config);
    return shape.spec(rope(config, shape).context(), _ -> window);
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = shape(config);
    var rope = rope(config, shape).rope();
    var attention = shape.attention(Windows.size(config), rope);
    return Decoder.bind(
        shape,
        weights,
        (i, layer) ->
            new DecoderLayer(
                LayerNorms.before(shape, layer),
                SelfAttention.fused(i, shape, attention, layer.at("self_attn")),
                FeedForward.fused(shape, layer.at("mlp"))));
  }

  private static Shape shape(ModelConfig config) {
    return Shape.of(config, Dialect.llama(1e-5));
  }

  private static RopeSettings rope(ModelConfig config, Shape shape) {
    var rope = RopeSettings.of(config, shape);
    if (!ROPES.contains(rope.type())) {
      throw Shape.unsupported("rope_type " + rope.type() + "; Phi-3 has " + ROPES);
    }
    return rope;
  }
}
