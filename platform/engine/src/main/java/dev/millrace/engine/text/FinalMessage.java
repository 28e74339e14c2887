package dev.millrace.engine.text;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Leaves the last message of a conversation open: a mark goes behind its text before rendering, and
 * the rendered prompt is cut there. The mark is the one transformers uses, because some templates
 * look for it.
 */
final class FinalMessage {
  private static final String MARK = "CONTINUE_FINAL_MESSAGE_TAG ";

  private FinalMessage() {}

  static List<Map<String, ?>> marked(List<Map<String, ?>> messages) {
    var copy = new ArrayList<Map<String, ?>>(messages);
    var last = new LinkedHashMap<String, @Nullable Object>(messages.getLast());
    Object content = last.get("content");
    if (content instanceof String text) {
      last.put("content", text + MARK);
    } else if (content instanceof List<?> parts) {
      last.put("content", markedParts(parts));
    } else {
      throw nothingToContinue();
    }
    copy.set(copy.size() - 1, last);
    return copy;
  }

  private static List<?> markedParts(List<?> parts) {
    var copy = new ArrayList<@Nullable Object>(parts);
    for (int i = copy.size() - 1; i >= 0; i--) {
      if (copy.get(i) instanceof Map<?, ?> part && part.get("text") instanceof String text) {
        var marked = new LinkedHashMap<@Nullable Object, @Nullable Object>(part);
        marked.put("text", text + MARK);
        copy.set(i, marked);
        return copy;
      }
    }
    throw nothingToContinue();
  }

  private static InferenceException nothingToContinue() {
    return new InferenceException(
        ErrorCode.INVALID_REQUEST,
        "continue_final_message needs a last message whose content has text");
  }

  /** The prompt up to the mark; where the template trims texts, trimmed as well. */
  static String cut(String prompt) {
    int at = prompt.lastIndexOf(MARK.strip());
    if (at < 0) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST,
          "continue_final_message: this model's chat template leaves out or changes the last"
              + " message, so that it cannot be continued");
    }
    String head = prompt.substring(0, at);
    return prompt.startsWith(MARK, at) ? head : head.stripTrailing();
  }
}
