package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.FinishReason;
import dev.millrace.engine.sample.SampledToken;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** How chat and completions write the same answer: the choices, and what stands round them. */
interface AnswerFormat {

  Envelope envelope();

  /** The body or chunk round the choices, without usage. */
  ObjectNode envelope(boolean chunk, ArrayNode choices);

  /**
   * The choice that opens a stream, if there is one.
   *
   * @param prompt as in {@link #whole}
   */
  @Nullable ObjectNode opening(int index, List<SampledToken> prompt);

  /** Characters that the opening shows. */
  int openingCharacters(int index);

  /**
   * Text and tokens that came together.
   *
   * @param offset characters of this answer before them
   */
  ObjectNode piece(int index, String text, List<SampledToken> tokens, int offset);

  /** The choice that ends a stream. */
  ObjectNode closing(int index, FinishReason reason);

  /**
   * The choice in a body.
   *
   * @param prompt its tokens with their log-probabilities; empty unless these were asked for
   */
  ObjectNode whole(
      int index,
      List<SampledToken> prompt,
      String text,
      List<SampledToken> tokens,
      FinishReason reason);

  /**
   * Adds what a body says of its prompts.
   *
   * @param prompt of the first answer
   */
  void describePrompt(ObjectNode body, List<SampledToken> prompt);

  TokenText tokenText();

  /** How many characters the tokens stand for. */
  default int characters(List<SampledToken> tokens) {
    return tokens.stream().mapToInt(token -> tokenText().characters(token.id())).sum();
  }

  static String name(FinishReason reason) {
    return reason.name().toLowerCase(Locale.ROOT);
  }
}
