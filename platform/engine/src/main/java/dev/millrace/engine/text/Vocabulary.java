package dev.millrace.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The tokens of a tokenizer.json by id: their contents, which are special, how they decode. */
final class Vocabulary {
  private static final int MAX_ID = 1 << 24;

  private final @Nullable String[] contents;
  private final Map<String, Integer> addedIds;
  private final Set<Integer> specialIds;
  private final TokenDecoder decoder;

  private Vocabulary(
      @Nullable String[] contents,
      Map<String, Integer> addedIds,
      Set<Integer> specialIds,
      TokenDecoder decoder) {
    this.contents = contents;
    this.addedIds = Map.copyOf(addedIds);
    this.specialIds = Set.copyOf(specialIds);
    this.decoder = decoder;
  }

  static Vocabulary of(JsonNode tokenizer, Path file) {
    JsonNode model = tokenizer.path("model").path("vocab");
    JsonNode added = tokenizer.path("added_tokens");
    if (!model.isObject() && !model.isArray()) {
      throw ModelFiles.invalid(file, "has no model.vocab", null);
    }
    int size = model.isArray() ? model.size() : 0;
    for (JsonNode id : model) {
      size = Math.max(size, model.isArray() ? 0 : checked(id, file) + 1);
    }
    for (JsonNode token : added) {
      size = Math.max(size, checked(token.path("id"), file) + 1);
    }
    @Nullable String[] contents = new @Nullable String[size];
    if (model.isArray()) {
      Arrays.setAll(contents, id -> id < model.size() ? model.get(id).path(0).asText() : null);
    } else {
      model.properties().forEach(e -> contents[e.getValue().asInt()] = e.getKey());
    }
    var addedIds = new HashMap<String, Integer>();
    var special = new TreeSet<Integer>();
    for (JsonNode token : added) {
      int id = token.path("id").asInt();
      String content = token.path("content").asText();
      contents[id] = content;
      addedIds.put(content, id);
      if (token.path("special").asBoolean()) {
        special.add(id);
      }
    }
    return new Vocabulary(contents, addedIds, special, TokenDecoder.of(tokenizer.path("decoder")));
  }

  private static int checked(JsonNode id, Path file) {
    if (!id.isInt() || id.asInt() < 0 || id.asInt() >= MAX_ID) {
      String shown = id.isNumber() ? "the id " + id.asText() : "an id that is no number";
      throw ModelFiles.invalid(file, "has a token with " + ModelFiles.beginning(shown), null);
    }
    return id.asInt();
  }

  int size() {
    return contents.length;
  }

  Set<Integer> specialIds() {
    return specialIds;
  }

  boolean isSpecial(int id) {
    return specialIds.contains(id);
  }

  TokenDecoder decoder() {
    return decoder;
  }

  /** The content of a token as tokenizer.json writes it; null for an id without a token. */
  @Nullable String content(int id) {
    return id >= 0 && id < contents.length ? contents[id] : null;
  }

  /** The id of a token by its content; added tokens first. */
  OptionalInt id(String content) {
    Integer added = addedIds.get(content);
    if (added != null) {
      return OptionalInt.of(added);
    }
    for (int id = 0; id < contents.length; id++) {
      if (content.equals(contents[id])) {
        return OptionalInt.of(id);
      }
    }
    return OptionalInt.empty();
  }
}
