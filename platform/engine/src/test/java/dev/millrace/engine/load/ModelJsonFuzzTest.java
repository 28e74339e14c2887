package dev.millrace.engine.load;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.fuzz.Fuzz;
import dev.millrace.engine.fuzz.JsonSpoiler;
import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.engine.text.ChatPrompt;
import dev.millrace.engine.text.ChatTemplate;
import dev.millrace.engine.text.Tokenizer;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** The JSON files of a model directory, spoilt anywhere: read, or refused by name. */
class ModelJsonFuzzTest {
  private static final String CONFIG =
      """
      {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64,
       "num_hidden_layers": 2, "rope_scaling": {"rope_type": "yarn", "factor": 4.0},
       "eos_token_id": [1, 2], "bos_token_id": 0, "rms_norm_eps": 1e-05, "sliding_window": null,
       "layer_types": ["full_attention", "sliding_attention"], "tie_word_embeddings": false,
       "quantization_config": {"quant_method": "gptq", "bits": 4}}
      """;
  private static final String GENERATION =
      """
      {"eos_token_id": [1, 2], "bos_token_id": 0, "temperature": 0.7, "top_k": 20, "top_p": 0.8,
       "min_p": 0.1, "repetition_penalty": 1.1, "max_new_tokens": 512, "do_sample": true,
       "chat_format": "chatml"}
      """;
  private static final String INDEX =
      """
      {"metadata": {"total_size": 8}, "weight_map": {
       "a.weight": "model-00001-of-00002.safetensors", "b.weight": "model-00002-of-00002.safetensors",
       "c.weight": "sub/model-00003-of-00002.safetensors"}}
      """;
  private static final String TOKENIZER =
      """
      {"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>", "unk_token": null,
       "added_tokens_decoder": {"0": {"content": "<s>", "special": true}},
       "chat_template": [
        {"name": "default", "template": "{% for m in messages %}{{ m.role }}{{ m['content'] }}{% endfor %}"},
        {"name": "tool_use", "template": "{{ tools }}"}]}
      """;
  private static final String HEADER =
      """
      {"__metadata__": {"format": "pt"},
       "a.weight": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]},
       "b.weight": {"dtype": "F32", "shape": [], "data_offsets": [8, 12]}}
      """;

  @TempDir private Path folder;

  @BeforeEach
  void writeConfig() throws IOException {
    Files.writeString(folder.resolve("config.json"), CONFIG);
  }

  private void run(String file, String sample, Fuzz.Reader reader) throws IOException {
    var spoiler = JsonSpoiler.of(List.of(sample.getBytes(UTF_8)));
    assertTrue(Fuzz.run(folder.resolve(file), spoiler, reader) > 0, "the sample is not sound");
  }

  @Test
  void configurations() throws IOException {
    run(
        "config.json",
        CONFIG,
        _ -> {
          var config = StoredModel.open(folder).config();
          var _ = config.architectures();
          var _ = config.modelType();
          var _ = config.integer("hidden_size");
          var _ = config.integer("num_hidden_layers", 1);
          var _ = config.object("rope_scaling").real("factor", 1);
          var _ = config.object("quantization_config").text("quant_method", "");
          var _ = config.texts("layer_types");
          var _ = config.flag("tie_word_embeddings", true);
          var _ = config.real("rms_norm_eps", 1);
          var _ = GenerationConfig.open(folder);
        });
  }

  @Test
  void generationConfigurations() throws IOException {
    run("generation_config.json", GENERATION, _ -> GenerationConfig.open(folder));
  }

  @Test
  void indices() throws IOException {
    run(
        "model.safetensors.index.json",
        INDEX,
        file -> {
          var _ = ShardIndex.read(folder, file.getFileName().toString());
        });
  }

  @Test
  void indicesOfFilesThatAreNotThere() throws IOException {
    try (var arena = Arena.ofConfined()) {
      var spoiler = JsonSpoiler.of(List.of(INDEX.getBytes(UTF_8)));
      Fuzz.run(
          folder.resolve("model.safetensors.index.json"),
          spoiler,
          _ -> CheckpointFiles.map(folder, new MappedFiles(arena)));
    }
  }

  @Test
  void tokenizerConfigurations() throws IOException {
    var prompt = new ChatPrompt(List.of(Map.of("role", "user", "content", "Hi")));
    run("tokenizer_config.json", TOKENIZER, _ -> ChatTemplate.open(folder).render(prompt));
  }

  @Test
  void headersOfSafetensors() throws IOException {
    run("header", HEADER, file -> SafetensorsHeader.parse(file, Files.readAllBytes(file), 12));
  }

  @Test
  void tokenizers() throws IOException {
    var at = "/dev/millrace/engine/text/tokenizers/";
    var samples = new ArrayList<byte[]>();
    samples.add(small(at + "qwen2-like.json"));
    samples.add(small(at + "llama2-like.json"));
    for (String sample : VariedTokenizers.SAMPLES) {
      samples.add(sample.getBytes(UTF_8));
    }
    int sound =
        Fuzz.run(
            folder.resolve("tokenizer.json"),
            JsonSpoiler.of(samples),
            _ -> {
              try (var tokenizer = Tokenizer.open(folder)) {
                for (String text : List.of("abcd \u00e9 <s>", "  <s>  A\u0301\u4e16a#b\n", "")) {
                  int[] ids = tokenizer.encode(text, true);
                  var _ = tokenizer.decode(ids, false);
                }
              }
            });
    assertTrue(sound > 0, "the samples are not sound");
  }

  @ParameterizedTest
  @FieldSource("dev.millrace.engine.load.VariedTokenizers#SAMPLES")
  void tokenizersOfEachKindAreSound(String sample) throws IOException {
    Files.writeString(folder.resolve("tokenizer.json"), sample);
    try (var tokenizer = Tokenizer.open(folder)) {
      assertTrue(tokenizer.encode("a <s> b", true).length > 3);
    }
  }

  /** A tokenizer with few enough tokens for every part of its file to be hit. */
  private static byte[] small(String resource) throws IOException {
    try (var in =
        Objects.requireNonNull(ModelJsonFuzzTest.class.getResourceAsStream(resource), resource)) {
      return SmallTokenizer.of(in.readAllBytes());
    }
  }
}
