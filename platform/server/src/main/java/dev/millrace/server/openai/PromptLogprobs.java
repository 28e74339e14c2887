package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.sample.SampledToken;
import java.util.List;

/** Log-probabilities of a prompt as vLLM shows them: null for its first token, then a map by id. */
final class PromptLogprobs {
  private PromptLogprobs() {}

  static ArrayNode json(List<SampledToken> prompt, TokenText text) {
    var list = JsonNodeFactory.instance.arrayNode();
    for (var token : prompt) {
      if (token.rank() == 0) {
        list.addNull();
        continue;
      }
      var byId = list.addObject();
      put(byId, token.id(), token.logprob(), token.rank(), text);
      int rank = 1;
      for (var other : token.top()) {
        put(byId, other.id(), other.logprob(), rank++, text);
      }
    }
    return list;
  }

  private static void put(ObjectNode byId, int id, float logprob, int rank, TokenText text) {
    var name = Integer.toString(id);
    if (!byId.has(name)) {
      byId.putObject(name)
          .put("logprob", Logprob.shown(logprob))
          .put("rank", rank)
          .put("decoded_token", text.show(id, ""));
    }
  }
}
