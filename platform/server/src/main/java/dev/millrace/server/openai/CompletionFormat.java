package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.FinishReason;
import dev.millrace.engine.sample.SampledToken;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Answers as {@code text_completion}, whole and in chunks.
 *
 * @param echoes for each answer the text it begins with; empty where the prompt is not echoed
 */
record CompletionFormat(
    Envelope envelope,
    TokenText tokenText,
    boolean logprobs,
    boolean promptLogprobs,
    List<String> echoes)
    implements AnswerFormat {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /** Marks what is not text in a token's name, as OpenAI's completions do. */
  private static final String BYTES = "bytes:";

  @Override
  public ObjectNode envelope(boolean chunk, ArrayNode choices) {
    return envelope.json("text_completion", choices);
  }

  @Override
  public @Nullable ObjectNode opening(int index, List<SampledToken> prompt) {
    return echoes.isEmpty() ? null : piece(index, echoes.get(index), prompt, 0);
  }

  @Override
  public int openingCharacters(int index) {
    var echo = echoes.isEmpty() ? "" : echoes.get(index);
    return echo.codePointCount(0, echo.length());
  }

  @Override
  public ObjectNode piece(int index, String text, List<SampledToken> tokens, int offset) {
    var choice = JSON.objectNode().put("index", index).put("text", text);
    putLogprobs(choice, tokens, offset);
    return choice.putNull("finish_reason");
  }

  @Override
  public ObjectNode closing(int index, FinishReason reason) {
    var choice = JSON.objectNode().put("index", index).put("text", "").putNull("logprobs");
    return choice.put("finish_reason", AnswerFormat.name(reason));
  }

  @Override
  public ObjectNode whole(
      int index,
      List<SampledToken> prompt,
      String text,
      List<SampledToken> tokens,
      FinishReason reason) {
    var choice = JSON.objectNode().put("index", index);
    if (echoes.isEmpty()) {
      choice.put("text", text);
      putLogprobs(choice, tokens, 0);
    } else {
      choice.put("text", echoes.get(index) + text);
      putLogprobs(choice, Stream.concat(prompt.stream(), tokens.stream()).toList(), 0);
    }
    if (promptLogprobs) {
      choice.set("prompt_logprobs", PromptLogprobs.json(prompt, tokenText));
    }
    return choice.put("finish_reason", AnswerFormat.name(reason));
  }

  @Override
  public void describePrompt(ObjectNode body, List<SampledToken> prompt) {
    // each choice has its own
  }

  private void putLogprobs(ObjectNode choice, List<SampledToken> tokens, int offset) {
    if (!logprobs) {
      choice.putNull("logprobs");
      return;
    }
    var node = choice.putObject("logprobs");
    var offsets = node.putArray("text_offset");
    var values = node.putArray("token_logprobs");
    var names = node.putArray("tokens");
    var tops = node.putArray("top_logprobs");
    int at = offset;
    for (var token : tokens) {
      var name = tokenText.show(token.id(), BYTES);
      offsets.add(at);
      names.add(name);
      if (token.rank() == 0) { // nothing comes before a prompt's first token
        values.addNull();
        tops.addNull();
      } else {
        values.add(Logprob.shown(token.logprob()));
        var top = tops.addObject();
        token.top().forEach(other -> put(top, tokenText.show(other.id(), BYTES), other.logprob()));
        put(top, name, token.logprob());
      }
      at += tokenText.characters(token.id());
    }
  }

  /** Two ids may look alike; the likelier one, which comes first, stands. */
  private static void put(ObjectNode top, String name, float logprob) {
    if (!top.has(name)) {
      top.put(name, Logprob.shown(logprob));
    }
  }
}
