package dev.millrace.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.engine.text.jinja.JinjaException;
import dev.millrace.engine.text.jinja.JinjaTemplate;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The checkpoint's own chat template: turns a conversation into the prompt its model was trained
 * on. The template writes BOS and all other special tokens itself, so its text must be encoded with
 * {@code addSpecialTokens} false. Immutable, for any number of threads.
 */
public final class ChatTemplate {
  private static final String DEFAULT = "default";
  private static final String TOOL_USE = "tool_use";

  private final Map<String, JinjaTemplate> byName;
  private final SpecialTokens specials;
  private final Clock clock;

  private ChatTemplate(Map<String, JinjaTemplate> byName, SpecialTokens specials, Clock clock) {
    this.byName = Map.copyOf(byName);
    this.specials = specials;
    this.clock = clock;
  }

  /** {@link #open(Path, Clock)} with the system's clock and time zone. */
  public static ChatTemplate open(Path modelDir) {
    return open(modelDir, Clock.system(ZoneId.systemDefault()));
  }

  /**
   * Opens chat_template.jinja of a model directory, else the {@code chat_template} of its
   * tokenizer_config.json. A model with neither is no error until something is rendered.
   *
   * @param clock what templates take today's date from
   * @throws InferenceException INVALID_CHECKPOINT if a file is damaged or a template malformed
   */
  public static ChatTemplate open(Path modelDir, Clock clock) {
    Path file = modelDir.resolve("chat_template.jinja");
    Path config = modelDir.resolve("tokenizer_config.json");
    Map<String, JinjaTemplate> byName =
        ModelFiles.text(file)
            .map(own -> Map.of(DEFAULT, parse(own, file)))
            .or(() -> ModelFiles.json(config).map(json -> configured(json, config)))
            .orElse(Map.of());
    return new ChatTemplate(byName, SpecialTokens.read(modelDir), clock);
  }

  /**
   * The templates of a model without a directory.
   *
   * @param config what a tokenizer_config.json would hold
   * @param file where it comes from, for messages
   * @throws InferenceException INVALID_CHECKPOINT if a template is malformed
   */
  public static ChatTemplate of(JsonNode config, Path file) {
    return new ChatTemplate(
        configured(config, file), SpecialTokens.of(config), Clock.system(ZoneId.systemDefault()));
  }

  private static Map<String, JinjaTemplate> configured(JsonNode config, Path file) {
    var byName = new HashMap<String, JinjaTemplate>();
    JsonNode template = config.path("chat_template");
    if (template.isTextual()) {
      byName.put(DEFAULT, parse(template.asText(), file));
    } else if (template.isArray()) {
      for (JsonNode one : template) {
        byName.put(one.path("name").asText(), parse(one.path("template").asText(), file));
      }
    }
    return byName;
  }

  private static JinjaTemplate parse(String source, Path file) {
    try {
      return JinjaTemplate.parse(source);
    } catch (JinjaException e) {
      throw ModelFiles.invalid(
          file, "has a malformed chat template, line " + e.line() + ": " + message(e), e);
    }
  }

  /** Templates may raise whatever they like, at any length. */
  private static String message(JinjaException e) {
    return ModelFiles.beginning(String.valueOf(e.getMessage()));
  }

  /** Whether there is a template at all. */
  public boolean exists() {
    return !byName.isEmpty();
  }

  /**
   * The prompt for a conversation.
   *
   * @throws InferenceException INVALID_REQUEST if the model has no template, or the template
   *     refuses or fails on this conversation
   */
  public String render(ChatPrompt prompt) {
    JinjaTemplate template = choose(prompt.tools());
    var variables = new HashMap<String, @Nullable Object>(specials.byName());
    List<Map<String, ?>> messages = Messages.withParsedArguments(prompt.messages());
    variables.put(
        "messages", prompt.continueFinalMessage() ? FinalMessage.marked(messages) : messages);
    variables.put("tools", prompt.tools());
    variables.put("documents", prompt.documents());
    variables.put("add_generation_prompt", prompt.addGenerationPrompt());
    variables.putAll(prompt.arguments());
    String text = render(template, variables);
    return prompt.continueFinalMessage() ? FinalMessage.cut(text) : text;
  }

  private JinjaTemplate choose(@Nullable List<?> tools) {
    JinjaTemplate forTools = tools == null ? null : byName.get(TOOL_USE);
    JinjaTemplate template = forTools != null ? forTools : byName.get(DEFAULT);
    if (template != null) {
      return template;
    }
    throw new InferenceException(
        ErrorCode.INVALID_REQUEST,
        byName.isEmpty()
            ? "this model has no chat template; use /v1/completions with a prompt of your own"
            : "this model has no default chat template, only " + byName.keySet());
  }

  private String render(JinjaTemplate template, Map<String, @Nullable Object> variables) {
    try {
      return template.render(variables, clock);
    } catch (JinjaException e) {
      String message =
          e.kind() == JinjaException.Kind.RAISED
              ? message(e)
              : "the chat template failed at line " + e.line() + ": " + message(e);
      throw new InferenceException(ErrorCode.INVALID_REQUEST, message, e);
    }
  }
}
