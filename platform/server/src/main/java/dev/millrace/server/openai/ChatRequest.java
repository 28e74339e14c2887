package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.load.LoadedModel;
import dev.millrace.engine.text.ChatPrompt;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A chat to be continued.
 *
 * @param prompt for the chat template; the content of each message is one text
 * @param addSpecialTokens whether the tokenizer adds to what the template wrote
 */
record ChatRequest(ChatPrompt prompt, boolean addSpecialTokens, Generation generation) {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  static ChatRequest read(JsonFields fields, ModelLimits limits, Seeds seeds) {
    Unserved.refuseInChat(fields);
    var messages = messages(fields);
    boolean continued = fields.flag("continue_final_message", isPrefill(fields, messages));
    boolean head = fields.flag("add_generation_prompt", !continued);
    if (continued && head) {
      throw ApiException.field(
          "continue_final_message", "cannot be true where add_generation_prompt is true");
    }
    var prompt =
        new ChatPrompt(
            messages, null, documents(fields), head, continued, templateArguments(fields));
    return new ChatRequest(
        prompt,
        fields.flag("add_special_tokens", false),
        Generation.read(fields, logprobs(fields, limits), false, limits, seeds));
  }

  /** What the model reads: the chat as its template writes it. */
  Prompt rendered(LoadedModel model) {
    var text = model.chatTemplate().render(prompt);
    return new Prompt(model.tokenizer().encode(text, addSpecialTokens), text);
  }

  /**
   * An assistant's message at the end is continued unless the request says what is to happen, as
   * llama.cpp's server does.
   */
  private static boolean isPrefill(JsonFields fields, List<Map<String, Object>> messages) {
    if (!isAssistants(messages, 1) || fields.find("add_generation_prompt") != null) {
      return false;
    }
    if (isAssistants(messages, 2)) {
      throw ApiException.field(
          "messages", "found two of the assistant's at the end, expected at most one to continue");
    }
    return !messages.getLast().containsKey("tool_calls");
  }

  private static boolean isAssistants(List<Map<String, Object>> messages, int fromEnd) {
    int index = messages.size() - fromEnd;
    return index >= 0 && "assistant".equals(messages.get(index).get("role"));
  }

  private static int logprobs(JsonFields fields, ModelLimits limits) {
    boolean asked = fields.flag("logprobs", false);
    if (fields.find("top_logprobs") == null) {
      return asked ? 0 : -1;
    }
    int top = fields.count("top_logprobs", 0, limits.maxLogprobs(), 0);
    if (!asked) {
      throw ApiException.field("top_logprobs", "is only allowed with logprobs: true");
    }
    return top;
  }

  private static @Nullable List<?> documents(JsonFields fields) {
    var found = fields.find("documents");
    if (found != null && !found.isArray()) {
      throw fields.wrong("documents", found, "a list of objects");
    }
    return found == null ? null : MAPPER.convertValue(found, List.class);
  }

  private static Map<String, Object> templateArguments(JsonFields fields) {
    var arguments = new LinkedHashMap<String, Object>();
    var effort = fields.text("reasoning_effort");
    if (effort != null) {
      arguments.put("reasoning_effort", effort);
    }
    var more = fields.object("chat_template_kwargs");
    if (more != null) {
      more.node().properties().stream()
          .filter(entry -> !entry.getValue().isNull())
          .forEach(entry -> arguments.put(entry.getKey(), plain(entry.getValue())));
    }
    return arguments;
  }

  private static List<Map<String, Object>> messages(JsonFields fields) {
    var found = fields.find("messages");
    if (found == null || !found.isArray() || found.isEmpty()) {
      throw ApiException.field("messages", "expected a list of at least one message");
    }
    var messages = new ArrayList<Map<String, Object>>();
    for (JsonNode each : found) {
      var path = "messages[" + messages.size() + "]";
      if (!(each instanceof ObjectNode object)) {
        throw JsonFields.wrongAt(path, each, "an object with role and content");
      }
      messages.add(message(new JsonFields(object, path)));
    }
    return messages;
  }

  private static Map<String, Object> message(JsonFields fields) {
    var role = fields.text("role");
    if (role == null || role.isEmpty()) {
      throw ApiException.field(fields.path("role"), "expected a role, like user or assistant");
    }
    var message = new LinkedHashMap<String, Object>();
    fields.node().properties().stream()
        .filter(entry -> !entry.getValue().isNull())
        .forEach(entry -> message.put(entry.getKey(), plain(entry.getValue())));
    // OpenAI's newer name for it, which templates do not know
    message.put("role", role.equals("developer") ? "system" : role);
    var content = fields.find("content");
    if (content != null) {
      message.put("content", content(content, fields.path("content")));
    } else if (fields.find("tool_calls") != null) {
      message.put("content", ""); // calls stand alone
    } else {
      throw ApiException.field(fields.path("content"), "expected a string or a list of text parts");
    }
    return message;
  }

  /** A text, or parts that are lines of it. */
  private static String content(JsonNode content, String path) {
    if (content.isTextual()) {
      return content.textValue();
    }
    if (!content.isArray()) {
      throw JsonFields.wrongAt(path, content, "a string or a list of text parts");
    }
    var texts = new ArrayList<String>();
    for (JsonNode part : content) {
      var at = path + "[" + texts.size() + "]";
      var type = part.path("type").asText("text");
      if (!type.equals("text") && !type.equals("refusal")) {
        throw ApiException.unsupported(
            at, "parts of type \"%s\" are not supported".formatted(type));
      }
      var text = part.isTextual() ? part : part.path(type);
      if (!text.isTextual()) {
        throw JsonFields.wrongAt(at, part, "{\"type\": \"text\", \"text\": a string}");
      }
      texts.add(text.textValue());
    }
    return String.join("\n", texts);
  }

  private static Object plain(JsonNode node) {
    return Objects.requireNonNull(MAPPER.convertValue(node, Object.class));
  }
}
