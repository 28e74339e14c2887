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

/** Cuts a file into texts: at blank lines, and where one would be too long. */
final class Texts {
  private Texts() {}

  /**
   * The token ids of each text, two at least.
   *
   * @param longest in tokens
   * @param most tokens in all
   * @throws InferenceException {@code INVALID_CONFIGURATION} if the file cannot be read, or has
   *     none
   */
  static List<int[]> read(Path file, Tokenizer tokenizer, int longest, int most) {
    var texts = new ArrayList<int[]>();
    int left = most;
    for (String part : content(file).split("\n\n", -1)) {
      if (part.isBlank()) {
        continue;
      }
      int[] tokens = tokenizer.encode(part.strip() + "\n", true);
      for (int from = 0; from + 1 < tokens.length && left > 1; from += longest) {
        int to = Math.min(tokens.length, from + Math.min(longest, left));
        if (to - from > 1) {
          texts.add(Arrays.copyOfRange(tokens, from, to));
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

  private static String content(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION, file + " cannot be read as UTF-8: " + e, e);
    }
  }
}
