package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.FinishReason;
import dev.millrace.engine.sample.SampledToken;
import java.util.List;

/** Answers as {@code chat.completion} and {@code chat.completion.chunk}. */
record ChatFormat(Envelope envelope, TokenText tokenText, boolean logprobs, boolean promptLogprobs)
    implements AnswerFormat {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  @Override
  public ObjectNode envelope(boolean chunk, ArrayNode choices) {
    return envelope.json(chunk ? "chat.completion.chunk" : "chat.completion", choices);
  }

  @Override
  public ObjectNode opening(int index, List<SampledToken> prompt) {
    var choice = JSON.objectNode().put("index", index);
    choice.putObject("delta").put("role", "assistant").put("content", "");
    return choice.putNull("logprobs").putNull("finish_reason");
  }

  @Override
  public int openingCharacters(int index) {
    return 0;
  }

  @Override
  public ObjectNode piece(int index, String text, List<SampledToken> tokens, int offset) {
    var choice = JSON.objectNode().put("index", index);
    choice.putObject("delta").put("content", text);
    putLogprobs(choice, tokens);
    return choice.putNull("finish_reason");
  }

  @Override
  public ObjectNode closing(int index, FinishReason reason) {
    var choice = JSON.objectNode().put("index", index);
    choice.putObject("delta");
    return choice.putNull("logprobs").put("finish_reason", AnswerFormat.name(reason));
  }

  @Override
  public ObjectNode whole(
      int index,
      List<SampledToken> prompt,
      String text,
      List<SampledToken> tokens,
      FinishReason reason) {
    var choice = JSON.objectNode().put("index", index);
    choice.putObject("message").put("role", "assistant").put("content", text).putNull("refusal");
    putLogprobs(choice, tokens);
    return choice.put("finish_reason", AnswerFormat.name(reason));
  }

  @Override
  public void describePrompt(ObjectNode body, List<SampledToken> prompt) {
    if (promptLogprobs) {
      body.set("prompt_logprobs", PromptLogprobs.json(prompt, tokenText));
    }
  }

  private void putLogprobs(ObjectNode choice, List<SampledToken> tokens) {
    if (!logprobs) {
      choice.putNull("logprobs");
      return;
    }
    var node = choice.putObject("logprobs");
    var content = node.putArray("content");
    node.putNull("refusal");
    for (var token : tokens) {
      var entry = entry(content, token.id(), token.logprob());
      var top = entry.putArray("top_logprobs");
      token.top().forEach(other -> entry(top, other.id(), other.logprob()));
    }
  }

  private ObjectNode entry(ArrayNode list, int id, float logprob) {
    var entry = list.addObject().put("token", tokenText.show(id, ""));
    entry.put("logprob", Logprob.shown(logprob));
    var bytes = entry.putArray("bytes");
    for (byte b : tokenText.bytes(id)) {
      bytes.add(b & 0xff);
    }
    return entry;
  }
}
