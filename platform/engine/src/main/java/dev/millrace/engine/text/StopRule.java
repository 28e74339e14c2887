package dev.millrace.engine.text;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds stop strings in a text that grows, and holds back what may become one. The stop string that
 * is complete first ends the text, the longest of those complete at once; so it does not matter how
 * the text is cut into deltas. Used by one thread at a time.
 */
public final class StopRule {
  private final List<String> stops;
  private final boolean includeStop;
  private String held = "";
  private @Nullable String matched;

  /**
   * A rule for one sequence; no stop strings means that everything is passed on at once.
   *
   * @param includeStop whether the stop string itself is shown
   */
  public StopRule(List<String> stops, boolean includeStop) {
    if (stops.stream().anyMatch(String::isEmpty)) {
      throw new InferenceException(
          ErrorCode.INVALID_REQUEST, "stop must not contain an empty string");
    }
    this.stops = List.copyOf(stops);
    this.includeStop = includeStop;
  }

  /** Takes the next part of the text and returns what may be shown now; "" once stopped. */
  public String feed(String delta) {
    if (matched != null) {
      return "";
    }
    if (stops.isEmpty()) {
      return delta;
    }
    String text = held.isEmpty() ? delta : held + delta;
    int start = 0;
    int end = Integer.MAX_VALUE;
    for (String stop : stops) {
      int at = text.indexOf(stop);
      int after = at + stop.length();
      if (at >= 0 && (after < end || (after == end && at < start))) {
        start = at;
        end = after;
        matched = stop;
      }
    }
    if (matched != null) {
      held = "";
      return text.substring(0, includeStop ? end : start);
    }
    int keep = heldLength(text);
    held = text.substring(text.length() - keep);
    return text.substring(0, text.length() - keep);
  }

  /** The length of the longest end of the text that begins a stop string. */
  private int heldLength(String text) {
    int longest = 0;
    for (String stop : stops) {
      for (int n = Math.min(stop.length() - 1, text.length()); n > longest; n--) {
        if (text.startsWith(stop.substring(0, n), text.length() - n)) {
          longest = n;
        }
      }
    }
    return longest;
  }

  public boolean stopped() {
    return matched != null;
  }

  /** The stop string that ended the text. */
  public Optional<String> matched() {
    return Optional.ofNullable(matched);
  }

  /** The text held back, when the sequence ended for another reason. */
  public String finish() {
    String rest = held;
    held = "";
    return rest;
  }
}
