package dev.millrace.spi;

import dev.millrace.spi.model.ExpertNames;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Weights;
import java.util.Optional;
import java.util.Set;

/**
 * Teaches the engine one model family. Called on the loading thread, once per model; must not keep
 * state between calls.
 */
public interface ModelPlugin {

  /**
   * The names this plugin serves: entries of {@code architectures} in {@code config.json}, such as
   * {@code LlamaForCausalLM}, and the {@code model_type} that is used where a file has none.
   */
  Set<String> architectures();

  /**
   * The geometry, before any weight is read: the engine sizes the KV cache from it.
   *
   * @throws InferenceException {@code UNSUPPORTED_MODEL} naming the setting that is not supported
   */
  ModelSpec describe(ModelConfig config);

  /**
   * Binds the weights by name. Every tensor belongs to the engine, so a model has nothing to close.
   *
   * @throws InferenceException {@code MISSING_TENSOR} or {@code BAD_SHAPE}, passed on from {@code
   *     weights}
   */
  Model load(ModelSpec spec, ModelConfig config, Weights weights);

  /**
   * How quantized checkpoints of the family name the matrices of experts; {@link #load} reads them
   * so. Empty where there are no experts, or nobody quantizes them: then a checkpoint in which they
   * lie together cannot be made a quantized one.
   */
  default Optional<ExpertNames> expertNames() {
    return Optional.empty();
  }
}
