package dev.millrace.server.openai;

import dev.millrace.engine.text.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Tokens as log-probabilities show them: as text where they are, as bytes where they are not. */
final class TokenText {
  private final Tokenizer tokenizer;

  private final Set<Integer> hidden;

  /**
   * @param skipSpecialTokens whether special tokens leave no text
   */
  TokenText(Tokenizer tokenizer, boolean skipSpecialTokens) {
    this.tokenizer = tokenizer;
    this.hidden = skipSpecialTokens ? tokenizer.specialIds() : Set.of();
  }

  byte[] bytes(int id) {
    return tokenizer.tokenBytes(id);
  }

  /** The text; part of a character as {@code \xf0\x9f} behind the prefix. */
  String show(int id, String bytesPrefix) {
    byte[] bytes = bytes(id);
    var text = decode(bytes);
    if (text != null) {
      return text;
    }
    var hex = new StringBuilder(bytesPrefix);
    for (byte b : bytes) {
      hex.append("\\x%02x".formatted(b & 0xff));
    }
    return hex.toString();
  }

  /** How many characters of the answer's text begin with this token. */
  int characters(int id) {
    int count = 0;
    for (byte b : hidden.contains(id) ? new byte[0] : bytes(id)) {
      if ((b & 0xc0) != 0x80) {
        count++;
      }
    }
    return count;
  }

  private static @Nullable String decode(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException _) {
      return null;
    }
  }
}
