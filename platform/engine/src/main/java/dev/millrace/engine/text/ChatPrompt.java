package dev.millrace.engine.text;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A conversation to be rendered. Messages, tools and documents are plain JSON values as the client
 * sent them: maps, lists, strings, numbers, booleans, null.
 *
 * @param addGenerationPrompt whether the assistant's turn is opened at the end
 * @param continueFinalMessage whether the last message is left open, to be continued
 * @param arguments further template variables, such as {@code enable_thinking}
 */
public record ChatPrompt(
    List<? extends Map<String, ?>> messages,
    @Nullable List<?> tools,
    @Nullable List<?> documents,
    boolean addGenerationPrompt,
    boolean continueFinalMessage,
    Map<String, ?> arguments) {

  public ChatPrompt {
    if (messages.isEmpty()) {
      throw new InferenceException(ErrorCode.INVALID_REQUEST, "messages must not be empty");
    }
    if (addGenerationPrompt && continueFinalMessage) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST,
          "add_generation_prompt and continue_final_message exclude each other");
    }
    messages = List.copyOf(messages);
  }

  /** A conversation without tools whose next turn is the assistant's. */
  public ChatPrompt(List<? extends Map<String, ?>> messages) {
    this(messages, null, null, true, false, Map.of());
  }
}
