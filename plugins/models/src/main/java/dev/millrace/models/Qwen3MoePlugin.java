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

/** Qwen3-MoE: a Qwen3 whose feed-forward part is a mixture of experts, in all layers or some. */
public final class Qwen3MoePlugin implements ModelPlugin {
  private static final ExpertNames EXPERTS =
      new ExpertNames("mlp", "gate_proj", "up_proj", "down_proj");

  @Override
  public Set<String> architectures() {
    return Set.of("Qwen3MoeForCausalLM", "qwen3_moe");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    var shape = shape(config);
    var _ = mixture(config, shape);
    // all layers slide or none: transformers reads neither layer_types nor max_window_layers here
    int window = config.flag("use_sliding_window", false) ? Windows.size(config) : 0;
    return shape.spec(config, _ -> window);
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = shape(config);
    var mixture = mixture(config, shape);
    Biases.requireAttention(config, shape, weights);
    var rope = RopeSettings.of(config, shape).rope();
    var dense = config.reals("mlp_only_layers");
    int every = config.integer("decoder_sparse_step", 1);
    if (every < 1) {
      throw Shape.unsupported("decoder_sparse_step is " + every + ", it must be at least 1");
    }
    return Decoder.bind(
        shape,
        weights,
        (i, layer) -> {
          var self = layer.at("self_attn");
          var mlp = layer.at("mlp");
          boolean mixed = !dense.contains((double) i) && (i + 1) % every == 0;
          var attention = shape.attention(spec.layers().get(i).window(), rope);
          return new DecoderLayer(
              LayerNorms.before(shape, layer),
              SelfAttention.apart(i, shape, attention, self)
                  .with(QueryKeyNorms.ofHeads(shape, self)),
              mixed ? mixture.bind(shape, EXPERTS, mlp) : FeedForward.gated(shape, mlp));
        });
  }

  @Override
  public Optional<ExpertNames> expertNames() {
    return Optional.of(EXPERTS);
  }

  private static Shape shape(ModelConfig config) {
    Settings.needed(config, "num_key_value_heads", "max_position_embeddings");
    return Shape.of(config);
  }

  private static Mixture mixture(ModelConfig config, Shape shape) {
    String count = config.has("num_local_experts") ? "num_local_experts" : "num_experts";
    var routing =
        new Routing(
            Shape.positive(config, "num_experts_per_tok"),
            config.flag("norm_topk_prob", false),
            shape.activation());
    int inner = Shape.positive(config, "moe_intermediate_size");
    return new Mixture(Shape.positive(config, count), inner, routing);
  }
}
