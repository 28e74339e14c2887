package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;

/**
 * Fields that mean something and are not served yet. A value that changes nothing passes; any other
 * is refused, since an answer that ignores it would be wrong. Fields nobody knows are ignored.
 */
final class Unserved {
  private static final Map<String, Harmless> EVERYWHERE =
      Map.ofEntries(
          Map.entry("best_of", Harmless.ONE),
          Map.entry("use_beam_search", Harmless.FALSE),
          Map.entry("length_penalty", Harmless.ONE),
          Map.entry("allowed_token_ids", Harmless.NOTHING),
          Map.entry("bad_words", Harmless.EMPTY),
          Map.entry("truncate_prompt_tokens", Harmless.NOTHING),
          Map.entry("return_token_ids", Harmless.FALSE),
          Map.entry("return_tokens_as_token_ids", Harmless.FALSE),
          Map.entry("structured_outputs", Harmless.NOTHING),
          Map.entry("guided_json", Harmless.NOTHING),
          Map.entry("guided_regex", Harmless.NOTHING),
          Map.entry("guided_choice", Harmless.NOTHING),
          Map.entry("guided_grammar", Harmless.NOTHING),
          Map.entry("logits_processors", Harmless.EMPTY),
          Map.entry("response_format", Harmless.TYPE_TEXT));

  private static final Map<String, Harmless> CHAT =
      Map.of(
          "echo", Harmless.FALSE,
          "functions", Harmless.EMPTY,
          "function_call", Harmless.NONE,
          "tool_choice", Harmless.NONE,
          "audio", Harmless.NOTHING,
          "modalities", Harmless.ONLY_TEXT,
          "web_search_options", Harmless.NOTHING,
          "chat_template", Harmless.NOTHING);

  private static final Map<String, Harmless> COMPLETION =
      Map.of("suffix", Harmless.EMPTY, "prompt_embeds", Harmless.NOTHING);

  /** The values of a field that change nothing. */
  private enum Harmless {
    NOTHING,
    FALSE,
    EMPTY,
    ONE,
    NONE,
    TYPE_TEXT,
    ONLY_TEXT;

    private static boolean isEmptyContainer(JsonNode value) {
      return value.isContainerNode() && value.isEmpty();
    }

    boolean includes(JsonNode value) {
      return switch (this) {
        case NOTHING -> false;
        case FALSE -> value.isBoolean() && !value.booleanValue();
        case EMPTY -> value.isTextual() ? value.textValue().isEmpty() : isEmptyContainer(value);
        case ONE -> value.isNumber() && value.doubleValue() == 1;
        case NONE -> value.asText().equals("none");
        case TYPE_TEXT -> value.path("type").asText().equals("text");
        case ONLY_TEXT -> value.size() == 1 && value.path(0).asText().equals("text");
      };
    }
  }

  private Unserved() {}

  static void refuseInChat(JsonFields fields) {
    refuse(fields, EVERYWHERE);
    refuse(fields, CHAT);
    var tools = fields.find("tools");
    if (tools != null && !Harmless.EMPTY.includes(tools) && fields.find("tool_choice") == null) {
      throw ApiException.unsupported(
          "tools", "tool calls are not supported yet; leave it out or add tool_choice: none");
    }
  }

  static void refuseInCompletion(JsonFields fields) {
    refuse(fields, EVERYWHERE);
    refuse(fields, COMPLETION);
  }

  private static void refuse(JsonFields fields, Map<String, Harmless> harmless) {
    harmless.forEach((name, values) -> {
      var value = fields.find(name);
      if (value != null && !values.includes(value)) {
        var shown = value.toString();
        throw ApiException.unsupported(
            name, (shown.length() <= 60 ? shown : "what it asks for") + " is not supported yet");
      }
    });
  }
}
