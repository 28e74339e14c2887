package dev.millrace.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.StoredModel;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.PlainMatrices;
import dev.millrace.testkit.StepDriver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The files that llama.cpp's converter makes of the golden models, against Hugging Face
 * transformers in F32. It drops the windows of Mistral and StarCoder2 and the pattern of Gemma 3,
 * so models that have their own are not here.
 */
class GgufGoldensTest {
  @TempDir private Path folder;

  @ParameterizedTest(name = "{0} in {1}")
  @CsvSource({
    "llama, f32",
    "llama, f16",
    "llama, bf16",
    "llama3, f16",
    "llama_linear, f16",
    "llama_yarn, f16",
    "mistral, f16",
    "mixtral, f16",
    "qwen2, f16",
    "qwen3, f16",
    "qwen3_moe, f16",
    "gemma, f16",
    "gemma2, f16",
    "gemma3_text, f16",
    "phi3, f16",
    "phi3_longrope, f16",
    "olmo2, f16",
    "starcoder2, f16"
  })
  void logitsAndGreedyTokensAreThoseOfTransformers(String name, String kind) throws IOException {
    var recipe = GgufRecipe.of(name, kind);
    var stored = StoredModel.open(recipe.write(folder.resolve("model.gguf")));
    var config = stored.config();
    var plugin = Goldens.plugin(config.modelType());
    var spec = plugin.describe(config);
    assertEquals(512 * (name.equals("llama_linear") ? 4 : 1), spec.maxContext());
    for (var device : GoldenCheck.devices(kind.equals("bf16") ? DType.BF16 : DType.F32)) {
      try (device;
          var source = stored.weights()) {
        var weights = new CheckpointWeights(source, List.of(new PlainMatrices()), DtypeChoice.AUTO);
        var model = plugin.load(spec, config, weights);
        assertEquals(Set.of(), weights.unused());
        try (var loaded = device.load(model, spec, new KvLayout(16, 16, KvDtype.FLOAT32))) {
          GoldenCheck.check(recipe.golden(), new StepDriver(loaded, 16, 16, spec.vocabulary()));
        }
      }
    }
    try (var tokenizer = stored.tokenizer()) {
      assertEquals(spec.vocabulary(), tokenizer.vocabularySize());
    }
  }
}
