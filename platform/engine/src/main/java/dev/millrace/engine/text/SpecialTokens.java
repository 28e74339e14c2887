package dev.millrace.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The named special tokens of a model, such as {@code bos_token}, from tokenizer_config.json or,
 * where that is silent, special_tokens_map.json.
 */
record SpecialTokens(Map<String, String> byName) {
  private static final List<String> NAMES =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  SpecialTokens {
    byName = Map.copyOf(byName);
  }

  static SpecialTokens read(Path modelDir) {
    Optional<JsonNode> config = ModelFiles.json(modelDir.resolve("tokenizer_config.json"));
    return of(config, ModelFiles.json(modelDir.resolve("special_tokens_map.json")));
  }

  /** Those of a tokenizer_config.json alone. */
  static SpecialTokens of(JsonNode config) {
    return of(Optional.of(config), Optional.empty());
  }

  private static SpecialTokens of(Optional<JsonNode> config, Optional<JsonNode> map) {
    var byName = new LinkedHashMap<String, String>();
    for (String name : NAMES) {
      Optional<JsonNode> source = config.filter(c -> c.has(name)).or(() -> map);
      source
          .map(s -> content(s.path(name)))
          .filter(s -> !s.isEmpty())
          .ifPresent(content -> byName.put(name, content));
    }
    return new SpecialTokens(byName);
  }

  /** A token is written as its text or as an object with its text; null means there is none. */
  private static String content(JsonNode token) {
    return token.isObject() ? token.path("content").asText() : token.asText("");
  }

  Optional<String> get(String name) {
    return Optional.ofNullable(byName.get(name));
  }
}
