package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import java.util.Set;

/** Qwen2 and Qwen2.5: a Llama with biases on queries, keys and values, found by their names. */
public final class Qwen2Plugin implements ModelPlugin {
  @Override
  public Set<String> architectures() {
    return Set.of("Qwen2ForCausalLM", "qwen2");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    return Shape.of(config).spec(config, Windows.ofQwen(config));
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = Shape.of(config);
    Biases.requireQkv(shape, weights);
    return Llama.bind(spec, config, shape, false, weights);
  }
}
