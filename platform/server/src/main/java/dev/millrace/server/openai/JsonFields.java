package dev.millrace.server.openai;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a JSON object, read by name and type. A field that is absent or null has its
 * default; one of another type or out of range ends the request and is named.
 */
final class JsonFields {
  private static final ObjectReader READER =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()
          .readerFor(JsonNode.class);

  private final ObjectNode node;
  private final String path;

  JsonFields(ObjectNode node, String path) {
    this.node = node;
    this.path = path;
  }

  /** Reads a request body of at most so many bytes. */
  static JsonFields read(InputStream body, long mostBytes) throws IOException {
    byte[] bytes = body.readNBytes((int) Math.min(mostBytes + 1, Integer.MAX_VALUE - 8));
    if (bytes.length > mostBytes) {
      throw new ApiException(
          ApiError.request(
              413, "the body is longer than max-request-size, %d bytes".formatted(mostBytes)));
    }
    try {
      JsonNode json = READER.readValue(bytes);
      if (json instanceof ObjectNode object) {
        return new JsonFields(object, "");
      }
      throw new ApiException(
          ApiError.request(400, "the body is %s, expected a JSON object".formatted(kind(json))));
    } catch (MismatchedInputException _) {
      throw new ApiException(
          ApiError.request(
              400,
              bytes.length == 0
                  ? "the body is empty, expected a JSON object"
                  : "the body is more than one JSON value, expected a JSON object"));
    } catch (JsonProcessingException e) {
      var at = e.getLocation();
      throw new ApiException(
          ApiError.request(
              400,
              "the body is not JSON (line %d, column %d)"
                  .formatted(at == null ? 1 : at.getLineNr(), at == null ? 1 : at.getColumnNr())));
    } catch (IOException _) {
      throw new ApiException(ApiError.request(400, "the body is not text in UTF-8"));
    }
  }

  /** The node as it is; null if absent or null. */
  @Nullable JsonNode find(String name) {
    var found = node.get(name);
    return found == null || found.isNull() ? null : found;
  }

  boolean has(String name) {
    return node.has(name);
  }

  ObjectNode node() {
    return node;
  }

  /** The name with what it lies in, for messages. */
  String path(String name) {
    return path.isEmpty() ? name : path + "." + name;
  }

  boolean flag(String name, boolean byDefault) {
    var found = find(name);
    if (found == null) {
      return byDefault;
    }
    if (!found.isBoolean()) {
      throw wrong(name, found, "true or false");
    }
    return found.booleanValue();
  }

  @Nullable String text(String name) {
    var found = find(name);
    if (found == null) {
      return null;
    }
    if (!found.isTextual()) {
      throw wrong(name, found, "a string");
    }
    return found.textValue();
  }

  /** A number; a least of {@link Double#MIN_VALUE} stands for above zero. */
  double real(String name, double least, double most, double byDefault) {
    var found = find(name);
    if (found == null) {
      return byDefault;
    }
    double value = found.doubleValue();
    if (!found.isNumber() || !(value >= least && value <= most)) {
      throw wrong(name, found, "a number " + range(least, most));
    }
    return value;
  }

  @Nullable Long whole(String name, long least, long most) {
    var found = find(name);
    return found == null ? null : (Long) whole(found, path(name), least, most);
  }

  int count(String name, int least, int most, int byDefault) {
    var value = whole(name, least, most);
    return value == null ? byDefault : value.intValue();
  }

  @Nullable JsonFields object(String name) {
    var found = find(name);
    if (found == null) {
      return null;
    }
    if (!(found instanceof ObjectNode object)) {
      throw wrong(name, found, "an object");
    }
    return new JsonFields(object, path(name));
  }

  /** A list of whole numbers; empty if absent. */
  List<Integer> wholes(String name, int least, int most) {
    var found = find(name);
    var values = new ArrayList<Integer>();
    if (found != null && !found.isArray()) {
      throw wrong(name, found, "a list of whole numbers");
    }
    for (JsonNode each : found == null ? List.<JsonNode>of() : found) {
      values.add((int) whole(each, path(name) + "[" + values.size() + "]", least, most));
    }
    return values;
  }

  static long whole(JsonNode found, String path, long least, long most) {
    if (!found.isNumber()
        || !found.canConvertToExactIntegral()
        || !found.canConvertToLong()
        || found.longValue() < least
        || found.longValue() > most) {
      throw ApiException.field(
          path,
          "found %s, expected a whole number from %d to %d".formatted(brief(found), least, most));
    }
    return found.longValue();
  }

  ApiException wrong(String name, JsonNode found, String expected) {
    return wrongAt(path(name), found, expected);
  }

  static ApiException wrongAt(String path, JsonNode found, String expected) {
    return ApiException.field(path, "found %s, expected %s".formatted(brief(found), expected));
  }

  /** The value if it is short, otherwise what it is. */
  private static String brief(JsonNode found) {
    if (found.isContainerNode()) {
      return kind(found);
    }
    var text = found.toString();
    return text.length() <= 60 ? text : text.substring(0, 57) + "...";
  }

  private static String kind(JsonNode found) {
    return switch (found.getNodeType()) {
      case ARRAY -> "a list";
      case OBJECT -> "an object";
      case STRING -> "a string";
      case NUMBER -> "a number";
      case BOOLEAN -> "true or false";
      case NULL -> "null";
      case MISSING, BINARY, POJO -> "nothing";
    };
  }

  private static String range(double least, double most) {
    return least == Double.MIN_VALUE
        ? "above 0, at most %.0f".formatted(most)
        : "from %.0f to %.0f".formatted(least, most);
  }
}
