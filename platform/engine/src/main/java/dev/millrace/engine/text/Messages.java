package dev.millrace.engine.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Messages as templates expect them: the arguments of a tool call are an object, not its JSON. */
final class Messages {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private Messages() {}

  static List<Map<String, ?>> withParsedArguments(List<? extends Map<String, ?>> messages) {
    var parsed = new ArrayList<Map<String, ?>>(messages.size());
    for (int i = 0; i < messages.size(); i++) {
      Map<String, ?> message = messages.get(i);
      if (message.get("tool_calls") instanceof List<?> calls) {
        var copy = new LinkedHashMap<String, @Nullable Object>(message);
        var copies = new ArrayList<@Nullable Object>();
        for (Object call : calls) {
          copies.add(withParsedArguments(call, "messages[" + i + "].tool_calls"));
        }
        copy.put("tool_calls", copies);
        parsed.add(copy);
      } else {
        parsed.add(message);
      }
    }
    return parsed;
  }

  private static @Nullable Object withParsedArguments(@Nullable Object call, String where) {
    if (!(call instanceof Map<?, ?> map) || !(map.get("function") instanceof Map<?, ?> function)) {
      return call;
    }
    if (!(function.get("arguments") instanceof String arguments)) {
      return call;
    }
    var functionCopy = new LinkedHashMap<@Nullable Object, @Nullable Object>(function);
    functionCopy.put("arguments", parse(arguments, where));
    var callCopy = new LinkedHashMap<@Nullable Object, @Nullable Object>(map);
    callCopy.put("function", functionCopy);
    return callCopy;
  }

  private static Map<?, ?> parse(String arguments, String where) {
    if (arguments.isBlank()) {
      return Map.of();
    }
    try {
      JsonNode node = JSON.readTree(arguments);
      if (node.isObject()) {
        return JSON.convertValue(node, LinkedHashMap.class);
      }
    } catch (JsonProcessingException e) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST,
          where + ": function.arguments is not JSON: " + e.getOriginalMessage(),
          e);
    }
    throw new InferenceException(
        ErrorCode.INVALID_REQUEST,
        where + ": function.arguments must be a JSON object, got " + arguments);
  }
}
