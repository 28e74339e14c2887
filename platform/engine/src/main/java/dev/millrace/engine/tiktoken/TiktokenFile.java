package dev.millrace.engine.tiktoken;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A vocabulary as tiktoken stores it: a line for each token, its bytes in Base64, a blank, and its
 * rank, which is its id. Tokens are kept as strings with a character for each byte.
 *
 * @param tokens by rank
 * @param ranks of the tokens
 * @see <a href="https://github.com/openai/tiktoken/blob/main/tiktoken/load.py">tiktoken's
 *     loader</a>
 */
record TiktokenFile(Path path, List<String> tokens, Map<String, Integer> ranks) {
  private static final long LARGEST = 100_000_000;
  private static final int LONGEST_TOKEN = 256;

  /**
   * Reads a file.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} naming the line that is wrong, the rank
   *     that is missing, or the byte that has no token
   */
  static TiktokenFile read(Path path) {
    var ranks = new HashMap<String, Integer>();
    int number = 0;
    for (String line : text(path).lines().toList()) {
      number++;
      if (!line.isEmpty()) {
        int blank = line.indexOf(' ');
        String token = token(blank < 0 ? line : line.substring(0, blank));
        Integer rank = blank < 0 ? null : rank(line.substring(blank + 1));
        if (token.isEmpty() || rank == null) {
          throw invalid(
              path,
              "line %d is no token of 1 to %d bytes in Base64, a blank and a rank"
                  .formatted(number, LONGEST_TOKEN));
        }
        if (ranks.putIfAbsent(token, rank) != null) {
          throw invalid(path, "line " + number + " has a token that is there before");
        }
      }
    }
    var file = new TiktokenFile(path, ordered(path, ranks), Map.copyOf(ranks));
    file.checkBytes();
    return file;
  }

  private static String text(Path path) {
    try {
      long size = Files.size(path);
      if (size > LARGEST) {
        throw invalid(path, "has " + size + " bytes; a vocabulary may have " + LARGEST);
      }
      return Files.readString(path, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      throw new InferenceException(ErrorCode.INVALID_CHECKPOINT, path + " cannot be read: " + e, e);
    }
  }

  /** Empty for what is no token. */
  private static String token(String base64) {
    try {
      byte[] bytes = Base64.getDecoder().decode(base64);
      return bytes.length > LONGEST_TOKEN ? "" : new String(bytes, StandardCharsets.ISO_8859_1);
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  private static @Nullable Integer rank(String digits) {
    try {
      int rank = Integer.parseInt(digits);
      return rank < 0 ? null : (Integer) rank;
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static List<String> ordered(Path path, Map<String, Integer> ranks) {
    @Nullable String[] tokens = new @Nullable String[ranks.size()];
    ranks.forEach((token, rank) -> {
      if (rank >= tokens.length) {
        throw invalid(
            path, "has a token of rank %d among %d tokens".formatted(rank, tokens.length));
      }
      tokens[rank] = token;
    });
    var all = new ArrayList<String>(tokens.length);
    for (String token : tokens) {
      if (token == null) {
        throw invalid(path, "has no token of rank " + all.size());
      }
      all.add(token);
    }
    return List.copyOf(all);
  }

  /** With a token for every byte there is no text that has no ids. */
  private void checkBytes() {
    for (int b = 0; b < 256; b++) {
      if (!ranks.containsKey(String.valueOf((char) b))) {
        throw invalid(path, "has no token for the byte 0x%02x alone".formatted(b));
      }
    }
  }

  private static InferenceException invalid(Path path, String what) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, path + " " + what);
  }
}
