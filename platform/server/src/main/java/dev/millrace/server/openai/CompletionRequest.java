package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.engine.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Prompts to be continued, as token ids.
 *
 * @param prompts at least one
 * @param echo whether answers begin with their prompts
 */
record CompletionRequest(List<Prompt> prompts, boolean echo, Generation generation) {

  static CompletionRequest read(
      JsonFields fields, ModelLimits limits, Seeds seeds, Tokenizer tokenizer) {
    Unserved.refuseInCompletion(fields);
    int logprobs =
        fields.find("logprobs") == null ? -1 : fields.count("logprobs", 0, limits.maxLogprobs(), 0);
    boolean echo = fields.flag("echo", false);
    var generation = Generation.read(fields, logprobs, echo, limits, seeds);
    var prompts =
        new PromptReader(tokenizer, limits.vocabulary(), fields.flag("add_special_tokens", true));
    return new CompletionRequest(prompts.read(fields.find("prompt")), echo, generation);
  }

  /** Reads every form a prompt may have. */
  private record PromptReader(Tokenizer tokenizer, int vocabulary, boolean addSpecialTokens) {
    private static final String FORMS =
        "a string, a list of token ids, or a list of prompts of these kinds";

    List<Prompt> read(@Nullable JsonNode prompt) {
      if (prompt == null) {
        throw ApiException.field("prompt", "expected " + FORMS);
      }
      if (!prompt.isArray()) {
        return List.of(one(prompt, "prompt"));
      }
      if (prompt.isEmpty()) {
        throw ApiException.field("prompt", "found an empty list, expected " + FORMS);
      }
      // numbers make the list one prompt, even with strings between them
      if (StreamSupport.stream(prompt.spliterator(), false).anyMatch(JsonNode::isNumber)) {
        return List.of(one(prompt, "prompt"));
      }
      var prompts = new ArrayList<Prompt>();
      for (JsonNode each : prompt) {
        prompts.add(one(each, "prompt[" + prompts.size() + "]"));
      }
      return prompts;
    }

    private Prompt one(JsonNode prompt, String path) {
      if (prompt.isTextual()) {
        var text = prompt.textValue();
        return filled(tokenizer.encode(text, addSpecialTokens), text, path);
      }
      if (!prompt.isArray()) {
        throw JsonFields.wrongAt(path, prompt, FORMS);
      }
      var ids = IntStream.builder();
      int at = 0;
      for (JsonNode part : prompt) {
        if (part.isTextual()) {
          IntStream.of(tokenizer.encode(part.textValue(), at == 0 && addSpecialTokens))
              .forEach(ids);
        } else {
          ids.add((int) JsonFields.whole(part, path + "[" + at + "]", 0, vocabulary - 1));
        }
        at++;
      }
      int[] all = ids.build().toArray();
      return filled(all, tokenizer.decode(all, false), path);
    }

    private static Prompt filled(int[] ids, String text, String path) {
      if (ids.length == 0) {
        throw ApiException.field(path, "has no tokens, expected at least one");
      }
      return new Prompt(ids, text);
    }
  }
}
