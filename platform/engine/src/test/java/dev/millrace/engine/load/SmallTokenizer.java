package dev.millrace.engine.load;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.HashSet;

/** Cuts a tokenizer.json down to its first tokens. */
final class SmallTokenizer {
  private static final int TOKENS = 300;

  private SmallTokenizer() {}

  static byte[] of(byte[] json) throws IOException {
    var tokenizer = (ObjectNode) JsonMapper.builder().build().readTree(json);
    var model = (ObjectNode) tokenizer.get("model");
    var all = (ObjectNode) model.get("vocab");
    var kept = model.putObject("vocab");
    var names = new HashSet<String>();
    for (var token : all.properties()) {
      if (token.getValue().intValue() < TOKENS) {
        kept.set(token.getKey(), token.getValue());
        names.add(token.getKey());
      }
    }
    var merges = model.get("merges");
    var few = model.putArray("merges");
    for (var merge : merges) {
      var pair =
          merge.isTextual()
              ? merge.textValue().split(" ", 2)
              : new String[] {merge.get(0).textValue(), merge.get(1).textValue()};
      if (names.contains(pair[0]) && names.contains(pair[1]) && names.contains(pair[0] + pair[1])) {
        few.add(merge);
      }
    }
    return tokenizer.toString().getBytes(UTF_8);
  }
}
