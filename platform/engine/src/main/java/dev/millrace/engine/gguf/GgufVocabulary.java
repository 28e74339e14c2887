package dev.millrace.engine.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The tokens of a file by id.
 *
 * @param types of the tokens, as many as there are tokens
 * @param ids of the tokens by their text
 */
record GgufVocabulary(
    GgufMetadata metadata, List<String> tokens, long[] types, Map<String, Integer> ids) {
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int UNUSED = 5;
  static final int BYTE = 6;

  private static final String TOKENS = "tokenizer.ggml.tokens";
  private static final String TYPES = "tokenizer.ggml.token_type";

  /**
   * The vocabulary of a file.
   *
   * @param rows there are embeddings for
   * @throws dev.millrace.spi.InferenceException {@code INVALID_CHECKPOINT} if it is incomplete or
   *     contradicts itself
   */
  static GgufVocabulary of(GgufMetadata metadata, int rows) {
    var tokens = metadata.texts(TOKENS);
    if (tokens.isEmpty()) {
      throw metadata.wrong(TOKENS + " is missing or empty; a model needs its vocabulary");
    }
    if (tokens.size() > rows) {
      throw metadata.wrong(
          "%s has %d tokens, token_embd.weight %d rows".formatted(TOKENS, tokens.size(), rows));
    }
    long[] types = metadata.wholes(TYPES);
    if (types.length != tokens.size()) {
      throw metadata.wrong(
          "%s has %d entries for %d tokens".formatted(TYPES, types.length, tokens.size()));
    }
    var ids = new HashMap<String, Integer>();
    for (int id = 0; id < types.length; id++) {
      if (types[id] < 0 || types[id] > BYTE) {
        throw metadata.wrong(
            "%s of token %d is %d; there are 0 to %d".formatted(TYPES, id, types[id], BYTE));
      }
      Integer before = ids.putIfAbsent(tokens.get(id), id);
      if (before != null) {
        throw metadata.wrong(
            "%s has %s twice, as %d and %d".formatted(TOKENS, tokens.get(id), before, id));
      }
    }
    return new GgufVocabulary(metadata, tokens, types, ids);
  }

  /** The id that a key names; none where the key is missing. */
  OptionalInt id(String key) {
    var id = metadata.optionalInteger(key);
    if (id.isPresent() && (id.getAsInt() < 0 || id.getAsInt() >= tokens.size())) {
      throw metadata.wrong(
          "%s is %d; tokens are 0 to %d".formatted(key, id.getAsInt(), tokens.size() - 1));
    }
    return id;
  }

  /** Writes all tokens with their ids. */
  void put(ObjectNode vocab) {
    for (int id = 0; id < tokens.size(); id++) {
      vocab.put(tokens.get(id), id);
    }
  }

  /** Writes the tokens that are found in a text as they stand, before anything else is done. */
  void putAdded(ArrayNode added) {
    for (int id = 0; id < tokens.size(); id++) {
      boolean special = types[id] == CONTROL || types[id] == UNKNOWN;
      if ((special || types[id] == USER_DEFINED) && !tokens.get(id).isEmpty()) {
        added
            .addObject()
            .put("id", id)
            .put("content", tokens.get(id))
            .put("single_word", false)
            .put("lstrip", false)
            .put("rstrip", false)
            .put("normalized", false)
            .put("special", special);
      }
    }
  }
}
