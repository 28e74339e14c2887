package dev.millrace.loadtest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.ProtocolException;
import org.jspecify.annotations.Nullable;

/**
 * What one event of a streamed completion says: its text (empty if none), whether it closes the
 * choice, and the usage counts if it brings them.
 */
record CompletionChunk(String text, boolean finishes, @Nullable Usage usage) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Token counts as the server states them. */
  record Usage(int promptTokens, int completionTokens) {}

  static CompletionChunk parse(String data) throws ProtocolException {
    JsonNode root;
    try {
      root = JSON.readTree(data);
    } catch (JsonProcessingException e) {
      throw new ProtocolException("an event is not JSON: " + start(data));
    }
    if (root.hasNonNull("error")) {
      throw new ProtocolException("the stream carried an error: " + start(data));
    }
    var choice = root.path("choices").path(0);
    var usage = root.path("usage");
    return new CompletionChunk(
        choice.path("text").asText(""),
        choice.hasNonNull("finish_reason"),
        usage.isObject()
            ? new Usage(
                usage.path("prompt_tokens").asInt(-1), usage.path("completion_tokens").asInt(-1))
            : null);
  }

  private static String start(String data) {
    return data.length() <= 200 ? data : data.substring(0, 200) + "…";
  }
}
