package dev.millrace.engine.text;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** How the contents of tokens become text: the {@code decoder} of a tokenizer.json. */
sealed interface TokenDecoder {
  /** Each character of a token stands for a byte. */
  record ByteLevel() implements TokenDecoder {}

  /**
   * Pieces of text. {@code <0xE2>} is a byte if {@code byteFallback}; up to {@code strip} blanks
   * are dropped at the very start, or, with {@code dropMarks}, all marks of the first token.
   */
  record Pieces(List<Replacement> replacements, boolean byteFallback, int strip, String dropMarks)
      implements TokenDecoder {
    public Pieces {
      replacements = List.copyOf(replacements);
    }

    String replaced(String content) {
      String text = content;
      for (Replacement replacement : replacements) {
        text = text.replace(replacement.from(), replacement.to());
      }
      return text;
    }
  }

  /** A decoder that we cannot run token by token. */
  record Unknown(String description) implements TokenDecoder {}

  /** One text put in place of another, everywhere in a token. */
  record Replacement(String from, String to) {}

  /** The bytes that a token stands for, wherever in a text it is. */
  default byte[] bytes(String content) {
    return switch (this) {
      case ByteLevel _ -> ByteAlphabet.bytes(content);
      case Pieces pieces -> {
        String text = pieces.replaced(content);
        int value = pieces.byteFallback() ? fallbackByte(text) : -1;
        yield value >= 0 ? new byte[] {(byte) value} : text.getBytes(StandardCharsets.UTF_8);
      }
      case Unknown _ -> content.getBytes(StandardCharsets.UTF_8);
    };
  }

  /** The byte written as {@code <0xE2>}, or -1. */
  static int fallbackByte(String text) {
    if (text.length() != 6 || !text.startsWith("<0x") || text.charAt(5) != '>') {
      return -1;
    }
    int high = Character.digit(text.charAt(3), 16);
    int low = Character.digit(text.charAt(4), 16);
    return high < 0 || low < 0 ? -1 : (high << 4) | low;
  }

  /** Reads the decoder of a tokenizer.json; one that is not known is no error until it is used. */
  static TokenDecoder of(JsonNode decoder) {
    String type = decoder.path("type").asText();
    return switch (type) {
      case "ByteLevel" -> new ByteLevel();
      case "Metaspace" -> metaspace(decoder);
      case "Sequence" -> sequence(decoder);
      default -> new Unknown(type.isEmpty() ? "none" : type);
    };
  }

  private static TokenDecoder metaspace(JsonNode decoder) {
    String mark = decoder.path("replacement").asText("\u2581");
    boolean drops =
        decoder.has("prepend_scheme")
            ? !decoder.get("prepend_scheme").asText().equals("never")
            : decoder.path("add_prefix_space").asBoolean(true);
    return new Pieces(List.of(new Replacement(mark, " ")), false, 0, drops ? mark : "");
  }

  private static TokenDecoder sequence(JsonNode sequence) {
    var replacements = new ArrayList<Replacement>();
    boolean byteFallback = false;
    boolean fused = false;
    int strip = 0;
    JsonNode steps = sequence.path("decoders");
    if (!steps.isArray()) {
      return new Unknown("Sequence without decoders");
    }
    if (steps.size() == 1) {
      return of(steps.get(0));
    }
    for (JsonNode step : steps) {
      boolean known =
          switch (step.path("type").asText()) {
            case "Replace" -> !byteFallback && !fused && step.path("pattern").has("String");
            case "ByteFallback" -> !fused;
            case "Fuse" -> true;
            case "Strip" ->
                fused
                    && strip == 0
                    && step.path("content").asText().equals(" ")
                    && step.path("stop").asInt() == 0;
            default -> false;
          };
      if (!known) {
        return new Unknown(sequence.toString());
      }
      switch (step.path("type").asText()) {
        case "Replace" ->
            replacements.add(
                new Replacement(
                    step.get("pattern").get("String").asText(), step.path("content").asText()));
        case "ByteFallback" -> byteFallback = true;
        case "Strip" -> strip = step.path("start").asInt();
        default -> fused = true;
      }
    }
    return new Pieces(replacements, byteFallback, strip, "");
  }

  /** A new assembler of text, at the start of a sequence. */
  default TextAssembler assembler() {
    return switch (this) {
      case ByteLevel _ -> new ByteAssembler();
      case Pieces pieces -> new PieceAssembler(pieces);
      case Unknown(var description) ->
          throw new InferenceException(
              ErrorCode.UNSUPPORTED_MODEL,
              "the tokenizer's decoder cannot be run token by token: "
                  + description
                  + "; known are ByteLevel, Metaspace and a Sequence of Replace, ByteFallback, Fuse"
                  + " and Strip");
    };
  }
}
