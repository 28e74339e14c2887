package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import java.util.Set;

/** Mistral: a Llama whose layers may all look back over a window only. */
public final class MistralPlugin implements ModelPlugin {
  @Override
  public Set<String> architectures() {
    return Set.of("MistralForCausalLM", "mistral");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    int window = Windows.size(config);
    return Shape.of(config).spec(config, _ -> window);
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    return Llama.bind(spec, config, Shape.of(config), false, weights);
  }
}
