package dev.millrace.engine.text;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Text of pieces and byte tokens. A run of byte tokens is judged as a whole, as the tokenizer does:
 * either all of it is UTF-8, or each of its bytes becomes one U+FFFD. So a run is held back until a
 * piece follows it.
 */
final class PieceAssembler implements TextAssembler {
  private final TokenDecoder.Pieces rules;
  private final ByteArrayOutputStream run = new ByteArrayOutputStream();
  private boolean first = true;
  private int strip;

  PieceAssembler(TokenDecoder.Pieces rules) {
    this.rules = rules;
    this.strip = rules.strip();
  }

  @Override
  public void add(String content, StringBuilder out) {
    String text = content;
    if (first && !rules.dropMarks().isEmpty()) {
      text = text.replace(rules.dropMarks(), "");
    }
    first = false;
    text = rules.replaced(text);
    int value = rules.byteFallback() ? TokenDecoder.fallbackByte(text) : -1;
    if (value >= 0) {
      run.write(value);
    } else {
      finish(out);
      emit(text, out);
    }
  }

  @Override
  public void finish(StringBuilder out) {
    if (run.size() > 0) {
      byte[] bytes = run.toByteArray();
      run.reset();
      emit(decode(bytes), out);
    }
  }

  private static String decode(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException _) {
      return "\uFFFD".repeat(bytes.length);
    }
  }

  private void emit(String text, StringBuilder out) {
    int from = 0;
    while (strip > 0 && from < text.length()) {
      if (text.charAt(from) == ' ') {
        from++;
        strip--;
      } else {
        strip = 0;
      }
    }
    out.append(text, from, text.length());
  }
}
