package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import java.util.Set;

/**
 * The Llama family: pre-norm, grouped-query attention, SwiGLU; tied embeddings or not, any head
 * width, all of its rope scalings.
 */
public final class LlamaPlugin implements ModelPlugin {
  @Override
  public Set<String> architectures() {
    return Set.of("LlamaForCausalLM", "llama");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    return Shape.of(config).spec(config);
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = Shape.of(config);
    Biases.require(config, shape, weights);
    return Llama.bind(spec, config, shape, false, weights);
  }
}
