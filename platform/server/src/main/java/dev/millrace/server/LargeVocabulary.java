package dev.millrace.server;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A made-up tokenizer of byte pairs with as many tokens as real models have (18,278: all words of
 * up to three letters), so that a rehearsal sees how large ones are read.
 */
final class LargeVocabulary {
  private static final List<String> LETTERS =
      IntStream.rangeClosed('a', 'z').mapToObj(Character::toString).toList();

  private static final int LONGEST = 3;

  private LargeVocabulary() {}

  /** Writes one, opens it as a model's, and forgets it. */
  static void open() throws IOException {
    var folder = Files.createTempDirectory("millrace-rehearsal");
    var file = folder.resolve("tokenizer.json");
    try {
      Files.writeString(file, json().toString());
      Tokenizer.open(folder).close();
    } finally {
      Files.deleteIfExists(file);
      Files.delete(folder);
    }
  }

  private static ObjectNode json() {
    var json = new ObjectMapper().createObjectNode().put("version", "1.0");
    json.putArray("added_tokens");
    json.putNull("normalizer").putNull("pre_tokenizer").putNull("post_processor");
    json.putNull("decoder").putNull("truncation").putNull("padding");
    var model = json.putObject("model").put("type", "BPE");
    var vocab = model.putObject("vocab");
    var merges = model.putArray("merges");
    LETTERS.forEach(letter -> vocab.put(letter, vocab.size()));
    var words = LETTERS;
    for (int length = 2; length <= LONGEST; length++) {
      var longer = new ArrayList<String>();
      for (String word : words) {
        for (String letter : LETTERS) {
          vocab.put(word + letter, vocab.size());
          merges.add(word + " " + letter);
          longer.add(word + letter);
        }
      }
      words = longer;
    }
    return json;
  }
}
