package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import java.util.Set;

/** Qwen3: a Llama with norms on the heads of queries and keys. */
public final class Qwen3Plugin implements ModelPlugin {
  @Override
  public Set<String> architectures() {
    return Set.of("Qwen3ForCausalLM", "qwen3");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    return Shape.of(config).spec(config, Windows.ofQwen(config));
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = Shape.of(config);
    Biases.require(config, shape, weights);
    return Llama.bind(spec, config, shape, true, weights);
  }
}
