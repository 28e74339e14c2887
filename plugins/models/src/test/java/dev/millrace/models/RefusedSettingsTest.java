package dev.millrace.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.HuggingFaceCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.PlainMatrices;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Settings that a family does not serve are refused by their name, with what was found. */
class RefusedSettingsTest {
  @TempDir private Path folder;

  @ParameterizedTest(name = "{0}: {1} = {2}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "llama             | hidden_act                   | \"quick_gelu\"       | hidden_act quick_gelu",
        "llama             | rope_scaling                 | {\"type\":\"dynamic\"} | rope_type dynamic",
        "qwen              | kv_channels                  | 32                   | kv_channels is 32",
        "qwen              | intermediate_size            | 321                  | intermediate_size is 321",
        "qwen              | seq_length                   | null                 | seq_length is missing",
        "qwen              | rotary_pct                   | 0.1                  | rotary_pct 0.1",
        "qwen              | scale_attn_weights           | false                | scale_attn_weights is false",
        "qwen              | visual                       | {}                   | visual is there",
        "llama             | num_hidden_layers            | 2147483647           | num_hidden_layers is 2147483647",
        "llama             | head_dim                     | 1000000000           | head_dim is 1000000000",
        "olmo2             | num_key_value_heads          | 3                    | num_key_value_heads 3",
        "phi3              | rope_scaling                 | {\"type\":\"yarn\"}    | rope_type yarn",
        "phi3              | sliding_window               | -1                   | sliding_window is -1",
        "phi3              | partial_rotary_factor        | 0.2                  | partial_rotary_factor 0.2",
        "phi3_longrope     | partial_rotary_factor        | 1.0                  | short_factor has 4 entries",
        "starcoder2        | mlp_type                     | \"gated\"            | mlp_type is gated",
        "starcoder2        | norm_type                    | \"rms_norm\"         | norm_type is rms_norm",
        "starcoder2        | num_key_value_heads          | null                 | num_key_value_heads is missing",
        "gemma             | use_bidirectional_attention  | true                 | use_bidirectional_attention is true",
        "gemma             | head_dim                     | null                 | head_dim is missing",
        "gemma             | hidden_activation            | \"quick_gelu\"       | hidden_activation quick_gelu",
        "gemma2            | layer_types                  | [\"full_attention\"] | layer_types has 1 entries",
        "gemma2            | sliding_window               | null                 | sliding_window is missing",
        "gemma2            | query_pre_attn_scalar        | 0                    | query_pre_attn_scalar is 0",
        "gemma2            | attn_logit_softcapping       | 0                    | attn_logit_softcapping is 0",
        "gemma2            | final_logit_softcapping      | -3                   | final_logit_softcapping is -3",
        "mixtral           | num_experts_per_tok          | 5                    | num_experts_per_tok is 5; there are 4",
        "mixtral           | num_local_experts            | null                 | num_local_experts is missing",
        "qwen3_moe         | decoder_sparse_step          | 0                    | decoder_sparse_step is 0",
        "gemma3_text       | attn_logit_softcapping       | 50                   | attn_logit_softcapping is 50",
        "gemma3_text       | rope_parameters              | {\"rope_theta\":1e6} | rope_parameters has one rope",
      })
  void settingsAreRefusedByName(String name, String key, String value, String message)
      throws IOException {
    var golden = Goldens.read(name);
    JsonNode found = new ObjectMapper().readTree(value);
    boolean old = key.equals("rope_scaling") || key.equals("partial_rotary_factor");
    var configuration = old ? golden.configInOldSpelling() : golden.config();
    configuration.set(key, found);
    golden.write(folder, configuration, DType.BF16);
    var config = JsonModelConfig.open(folder);
    var plugin = Goldens.plugin(config.modelType());
    try (var source = HuggingFaceCheckpoint.open(folder)) {
      var weights = new CheckpointWeights(source, List.of(new PlainMatrices()), DtypeChoice.AUTO);
      var error =
          assertThrows(
              InferenceException.class,
              () -> plugin.load(plugin.describe(config), config, weights));
      assertEquals(ErrorCode.UNSUPPORTED_MODEL, error.code(), error.getMessage());
      assertTrue(String.valueOf(error.getMessage()).contains(message), error.getMessage());
    }
  }
}
