package dev.millrace.server.quality;

import dev.millrace.engine.text.Tokenizer;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Cuts a file into texts. */
final class Texts {
  private Texts() {}

  /**
   * Texts between blank lines, cut where one would be too long; all of their positions count.
   *
   * @param longest in tokens
   * @param most tokens in all
   * @throws InferenceException {@code INVALID_CONFIGURATION} if the file cannot be read, or has
   *     none
   */
  static List<Text> between(Path file, Tokenizer tokenizer, int longest, int most) {
    var texts = new ArrayList<Text>();
    int left = most;
    for (String part : content(file).split("\n\n", -1)) {
      if (part.isBlank()) {
        continue;
      }
      int[] tokens = tokenizer.encode(part.strip() + "\n", true);
      for (int from = 0; from + 1 < tokens.length && left > 1; from += longest) {
        int to = Math.min(tokens.length, from + Math.min(longest, left));
        if (to - from > 1) {
          texts.add(new Text(Arrays.copyOfRange(tokens, from, to), 0));
          left -= to - from;
        }
      }
    }
    if (texts.isEmpty()) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION, file + " has no text of two tokens");
    }
    return texts;
  }

  /**
   * Windows that follow one another, of which the second half counts, as llama-perplexity reads:
   * each begins with the token that begins a text, if there is one.
   *
   * @param length of a window in tokens, two at least
   * @param most tokens in all
   * @throws InferenceException {@code INVALID_CONFIGURATION} if the file cannot be read, or has no
   *     whole window
   */
  static List<Text> windows(Path file, Tokenizer tokenizer, int length, int most) {
    int[] all = tokenizer.encode(content(file), true);
    var windows = new ArrayList<Text>();
    for (int end = length; end <= Math.min(all.length, most); end += length) {
      int[] window = Arrays.copyOfRange(all, end - length, end);
      tokenizer.addedFirst().ifPresent(first -> window[0] = first);
      windows.add(new Text(window, length / 2));
    }
    if (windows.isEmpty()) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "%s has %d tokens, of which %d may be read: no window of %d"
              .formatted(file, all.length, most, length));
    }
    return windows;
  }

  private static String content(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION, file + " cannot be read as UTF-8: " + e, e);
    }
  }
}
