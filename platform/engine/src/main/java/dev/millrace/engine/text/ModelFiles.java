package dev.millrace.engine.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The text files of a model directory, read whole. */
final class ModelFiles {
  private static final long LARGEST = 200_000_000;
  private static final int LONGEST_SHOWN = 500;
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final JsonMapper UNAMBIGUOUS_JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private ModelFiles() {}

  /** A JSON object; a damaged file is an error that names it, an absent one is empty. */
  static Optional<JsonNode> json(Path file) {
    return text(file).map(content -> json(JSON, content, file));
  }

  /** A JSON object in which no name comes twice: all readers take the same from it. */
  static JsonNode unambiguousJson(String content, Path file) {
    return json(UNAMBIGUOUS_JSON, content, file);
  }

  private static JsonNode json(JsonMapper mapper, String content, Path file) {
    JsonNode node;
    try {
      node = mapper.readTree(content);
    } catch (JsonProcessingException e) {
      throw invalid(file, "is not JSON: " + e.getOriginalMessage(), e);
    }
    if (node == null || !node.isObject()) {
      throw invalid(file, "is not a JSON object", null);
    }
    return node;
  }

  static Optional<String> text(Path file) {
    return bytes(file).map(bytes -> text(bytes, file));
  }

  /** The text that bytes are, which must be UTF-8. */
  static String text(byte[] bytes, Path file) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    if (text.indexOf('\uFFFD') >= 0) { // it is in the text itself, or stands for what is no text
      try {
        var _ = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      } catch (CharacterCodingException e) {
        throw invalid(file, "is not UTF-8", e);
      }
    }
    return text;
  }

  /** The bytes of a file; an absent one is empty. */
  static Optional<byte[]> bytes(Path file) {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      long size = Files.size(file);
      if (size > LARGEST) {
        throw invalid(file, "has " + size + " bytes; a text file may have " + LARGEST, null);
      }
      return Optional.of(Files.readAllBytes(file));
    } catch (IOException e) {
      throw invalid(file, "cannot be read: " + e, e);
    }
  }

  /** What a message quotes of something that may be long. */
  static String beginning(String text) {
    return text.length() > LONGEST_SHOWN ? text.substring(0, LONGEST_SHOWN) + "…" : text;
  }

  static InferenceException invalid(Path file, String problem, @Nullable Throwable cause) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, file + " " + problem, cause);
  }
}
