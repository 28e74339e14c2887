package dev.millrace.models;

import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import java.util.Set;

/** Gemma 1: the layers of Llama between Gemma's embeddings and Gemma's norms. */
public final class GemmaPlugin implements ModelPlugin {
  @Override
  public Set<String> architectures() {
    return Set.of("GemmaForCausalLM", "gemma");
  }

  @Override
  public ModelSpec describe(ModelConfig config) {
    return Gemma.shape(config).spec(config);
  }

  @Override
  public Model load(ModelSpec spec, ModelConfig config, Weights weights) {
    var shape = Gemma.shape(config);
    Biases.require(config, shape, weights);
    return Llama.bind(spec, config, shape, false, weights)
        .withEmbeddingScale(Gemma.embeddingScale(shape));
  }
}
