package dev.millrace.cuda;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.engine.text.Tokenizer;
import java.nio.file.Path;

/** A tokenizer for models that have none: one word for each token. */
final class WordTokenizer {
  private WordTokenizer() {}

  static Tokenizer of(int vocabulary) {
    var mapper = new ObjectMapper();
    var json = mapper.createObjectNode().put("version", "1.0");
    json.putArray("added_tokens");
    json.putNull("normalizer").putNull("post_processor");
    json.putObject("pre_tokenizer").put("type", "WhitespaceSplit");
    json.putObject("decoder")
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", false)
        .put("use_regex", false);
    var model = json.putObject("model").put("type", "WordLevel").put("unk_token", "w0");
    var words = model.putObject("vocab");
    for (int i = 0; i < vocabulary; i++) {
      words.put("w" + i, i);
    }
    return Tokenizer.of(json, mapper.createObjectNode(), Path.of("tokenizer.json"));
  }
}
