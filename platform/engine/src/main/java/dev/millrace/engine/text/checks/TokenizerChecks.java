package dev.millrace.engine.text.checks;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Path;

/**
 * Holds a tokenizer.json to what the tokenizers library takes for granted. The library is Rust
 * behind JNI: where it indexes past an end or unwraps what is not there, it does not throw but ends
 * the process, be it when it reads the file or at a later text. What is checked here was found in
 * its source (0.21) and by fuzzing; what it refuses by itself is left to it.
 */
public final class TokenizerChecks {
  private TokenizerChecks() {}

  /**
   * Checks a tokenizer.json, read so that a name that comes twice was refused.
   *
   * @param path where it comes from, for messages
   * @throws InferenceException INVALID_CHECKPOINT saying what of it the library would not survive
   */
  public static void check(JsonNode json, Path path) {
    var file = new CheckedFile(path);
    PlainJson.check(json, file);
    ModelCheck.check(json.path("model"), file);
    JsonNode normalizer = json.path("normalizer");
    NormalizerCheck.check(file.steps(normalizer, "normalizer", "normalizers"), file);
    PreTokenizerCheck.check(
        file.steps(json.path("pre_tokenizer"), "pre_tokenizer", "pretokenizers"), file);
    PostProcessorCheck.check(
        file.steps(json.path("post_processor"), "post_processor", "processors"), file);
    DecoderCheck.check(file.steps(json.path("decoder"), "decoder", "decoders"), file);
    AddedTokensCheck.check(json.path("added_tokens"), normalizer, file);
  }
}
