package dev.millrace.engine.load;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Reads the JSON of a model directory: strict UTF-8, one object, no key twice, at most 100 MB. */
final class JsonFile {
  static final int LARGEST = 100_000_000;
  private static final int LONGEST_SHOWN = 80;

  // Python writes NaN and Infinity into configurations; whoever asks for a number checks it
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .build();

  private JsonFile() {}

  /** The object in the file; {@code INVALID_CHECKPOINT} naming the file if there is none. */
  static ObjectNode read(Path file) {
    try {
      long size = Files.size(file);
      if (size > LARGEST) {
        throw invalid(file, "has " + size + " bytes; a JSON file may have " + LARGEST, null);
      }
      try (JsonParser parser = parser(Files.readAllBytes(file))) {
        if (parser.readValueAsTree() instanceof ObjectNode object && parser.nextToken() == null) {
          return object;
        }
        throw invalid(file, "does not hold one JSON object", null);
      }
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  /** A parser of UTF-8 only: left to itself, Jackson takes bytes with zeros for UTF-16. */
  static JsonParser parser(byte[] json) throws IOException {
    var decoder = StandardCharsets.UTF_8.newDecoder();
    return MAPPER.createParser(new InputStreamReader(new ByteArrayInputStream(json), decoder));
  }

  /** A value as messages quote it: its beginning, where it is long. */
  static String shown(@Nullable JsonNode value) {
    String text = value != null && value.isNumber() ? value.asText() : String.valueOf(value);
    return text.length() > LONGEST_SHOWN ? text.substring(0, LONGEST_SHOWN) + "…" : text;
  }

  /** Says why a file could not be read or parsed. */
  static InferenceException unreadable(Path file, IOException e) {
    return switch (e) {
      case JsonProcessingException json ->
          invalid(file, "has damaged JSON: " + json.getOriginalMessage(), json);
      case CharacterCodingException text -> invalid(file, "has JSON that is not UTF-8", text);
      case NoSuchFileException missing -> invalid(file, "does not exist", missing);
      default -> invalid(file, "cannot be read: " + e, e);
    };
  }

  private static InferenceException invalid(Path file, String what, @Nullable Throwable cause) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, file + " " + what, cause);
  }
}
