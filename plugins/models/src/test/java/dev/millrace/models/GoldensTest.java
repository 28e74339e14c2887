package dev.millrace.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.HuggingFaceCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.PlainMatrices;
import dev.millrace.testkit.StepDriver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Logits and greedy tokens against Hugging Face transformers in F32. */
class GoldensTest {
  @TempDir private Path folder;

  static Stream<Arguments> cases() {
    return Stream.of(
            "llama",
            "llama3",
            "llama_linear",
            "llama_yarn",
            "mistral",
            "mistral_swa",
            "qwen",
            "qwen2",
            "qwen3",
            "olmo2",
            "phi3",
            "phi3_longrope",
            "starcoder2",
            "starcoder2_window",
            "gemma",
            "gemma2",
            "gemma3_text",
            "gemma3_pattern",
            "mixtral",
            "qwen3_moe")
        .flatMap(name -> Stream.of(true, false).map(old -> new Object[] {name, old}))
        .flatMap(pair ->
            Stream.of(DType.F32, DType.BF16, DType.F16)
                .map(dtype -> Arguments.of(pair[0], pair[1], dtype)));
  }

  @ParameterizedTest(name = "{0}, old spelling {1}, stored as {2}")
  @MethodSource("cases")
  void logitsAndGreedyTokensAreThoseOfTransformers(String name, boolean old, DType dtype)
      throws IOException {
    var golden = Goldens.read(name);
    if (old) {
      golden.writeInOldSpelling(folder, dtype);
    } else {
      golden.write(folder, golden.config(), dtype);
    }
    var config = JsonModelConfig.open(folder);
    var plugin = Goldens.plugin(config.modelType());
    var spec = plugin.describe(config);
    assertEquals(512 * (name.equals("llama_linear") ? 4 : 1), spec.maxContext());
    for (var device : GoldenCheck.devices(dtype)) {
      try (device;
          var source = HuggingFaceCheckpoint.open(folder)) {
        var weights = new CheckpointWeights(source, List.of(new PlainMatrices()), DtypeChoice.AUTO);
        var model = plugin.load(spec, config, weights);
        var layout = new KvLayout(16, 16, device.kvDtype(model, spec));
        try (var loaded = device.load(model, spec, layout)) {
          GoldenCheck.check(golden, new StepDriver(loaded, 16, 16, spec.vocabulary()));
        }
      }
    }
  }
}
