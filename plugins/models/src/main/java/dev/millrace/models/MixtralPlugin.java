package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.ExpertNames;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import dev.millrace.spi.tensor.Routing;
import java.util.Optional;
import java.util.Set;

/** Mixtral: a Mistral whose feed-forward part is a mixture of experts. */
public final class MixtralPlugin implements ModelPlugin {
  private static final ExpertNames EXPERTS = new ExpertNames("block_sparse_moe", "w1", "w3", "w2");

  @Override
  public Set<String> architectures() {
    return Set.of("MixtralForCausalLM", "mixtral");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    var shape = shape(config);
    var _ = mixture(config, shape);
    int window = Windows.size(config);
    return shape.spec(rope(config, shape).context(), _ -> window);
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = shape(config);
    var mixture = mixture(config, shape);
    var attention = shape.attention(Windows.size(config), rope(config, shape).rope());
    return Decoder.bind(
        shape,
        weights,
        (i, layer) -> {
          boolean original = layer.has(EXPERTS.block() + ".gate.weight");
          var block = layer.at(original ? EXPERTS.block() : "mlp");
          return new DecoderLayer(
              LayerNorms.before(shape, layer),
              SelfAttention.apart(i, shape, attention, layer.at("self_attn")),
              mixture.bind(shape, EXPERTS, block));
        });
  }

  @Override
  public Optional<ExpertNames> expertNames() {
    return Optional.of(EXPERTS);
  }

  private static Shape shape(ModelConfig config) {
    Settings.needed(config, "num_key_value_heads", "max_position_embeddings");
    return Shape.of(config, Dialect.llama(1e-5));
  }

  private static RopeSettings rope(ModelConfig config, Shape shape) {
    return RopeSettings.of(config, shape, 1e6);
  }

  private static Mixture mixture(ModelConfig config, Shape shape) {
    int perToken = Shape.positive(config, "num_experts_per_tok");
    int experts = Shape.positive(config, "num_local_experts");
    return new Mixture(experts, shape.inner(), new Routing(perToken, true, shape.activation()));
  }
}
