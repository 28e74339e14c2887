package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Norm;
import java.util.Set;

/** StarCoder2: layer norms, biases everywhere, a feed-forward part without a gate, windows. */
public final class Starcoder2Plugin implements ModelPlugin {
  private static final Dialect DIALECT =
      new Dialect(
          Norm.Kind.LAYER, 0, "norm_epsilon", 1e-5, "hidden_act", "gelu_pytorch_tanh", true);

  @Override
  public Set<String> architectures() {
    return Set.of("Starcoder2ForCausalLM", "starcoder2");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    int window = Windows.size(config);
    return shape(config).spec(config, _ -> window);
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = shape(config);
    if (config.flag("use_bias", true)) {
      Biases.requireQkv(shape, weights);
      Biases.requireEach(shape, weights, "self_attn.o_proj", shape.hidden());
      Biases.requireEach(shape, weights, "mlp.c_fc", shape.inner());
      Biases.requireEach(shape, weights, "mlp.c_proj", shape.hidden());
    }
    var rope = RopeSettings.of(config, shape).rope();
    var attention = shape.attention(Windows.size(config), rope);
    return Decoder.bind(
        shape,
        weights,
        (i, layer) ->
            new DecoderLayer(
                LayerNorms.before(shape, layer),
                SelfAttention.apart(i, shape, attention, layer.at("self_attn")),
                FeedForward.plain(shape, layer.at("mlp"))));
  }

  private static Shape shape(ModelConfig config) {
    Settings.only(config, "mlp_type", "default");
    Settings.only(config, "norm_type", "layer_norm");
    Settings.needed(config, "num_key_value_heads");
    return Shape.of(config, DIALECT);
  }
}
