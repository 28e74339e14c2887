package dev.millrace.engine.load;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The {@code config.json} of a model directory, or an object inside it. Nothing is converted: a
 * number in quotes is no number. Immutable.
 */
public final class JsonModelConfig implements ModelConfig {
  private static final String FILE = "config.json";
  private static final ObjectMapper VALUES = new ObjectMapper();

  private final Path file;
  private final ObjectNode node;
  private final String path;
  private final ErrorCode code;

  private JsonModelConfig(Path file, ObjectNode node, String path, ErrorCode code) {
    this.file = file;
    this.node = node;
    this.path = path;
    this.code = code;
  }

  /**
   * Reads {@code config.json}.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} if it is missing or not a JSON object
   */
  public static JsonModelConfig open(Path directory) {
    if (!Files.isDirectory(directory)) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT, directory + " is not a directory; a model is one");
    }
    return read(directory.resolve(FILE), ErrorCode.UNSUPPORTED_MODEL);
  }

  /** The configuration of a model that has it elsewhere: in {@code file}, which messages name. */
  static JsonModelConfig of(Path file, ObjectNode node) {
    return new JsonModelConfig(file, node, "", ErrorCode.UNSUPPORTED_MODEL);
  }

  /** What a user gave as {@code quantization-config}. */
  static JsonModelConfig given(Map<String, Object> values) {
    return new JsonModelConfig(
        Path.of("quantization-config"),
        VALUES.valueToTree(values),
        "",
        ErrorCode.INVALID_CONFIGURATION);
  }

  /** Another JSON file, read in the same way; {@code code} is the error of a wrong key. */
  static JsonModelConfig read(Path file, ErrorCode code) {
    return new JsonModelConfig(file, JsonFile.read(file), "", code);
  }

  /** The same values, with another error for a wrong key. */
  JsonModelConfig failingWith(ErrorCode other) {
    return new JsonModelConfig(file, node, path, other);
  }

  /** No keys at all. */
  JsonModelConfig empty() {
    return new JsonModelConfig(file, JsonNodeFactory.instance.objectNode(), path, code);
  }

  /** {@code architectures}; empty where the file has none. */
  public List<String> architectures() {
    return texts("architectures");
  }

  /** Names that its family may be known by: {@code architectures}, then {@code model_type}. */
  public List<String> families() {
    var names = new ArrayList<>(architectures());
    if (!modelType().isEmpty()) {
      names.add(modelType());
    }
    return names;
  }

  /** {@code model_type}; the empty string where the file has none. */
  public String modelType() {
    return text("model_type", "");
  }

  @Override
  public boolean has(String key) {
    return node.hasNonNull(key);
  }

  @Override
  public List<String> keys() {
    return node.propertyStream()
        .filter(entry -> !entry.getValue().isNull())
        .map(Map.Entry::getKey)
        .toList();
  }

  @Override
  public int integer(String key) {
    if (!has(key)) {
      throw new InferenceException(
          code, file + ": " + path + key + " is missing; a whole number is needed");
    }
    return integer(key, 0);
  }

  @Override
  public int integer(String key, int fallback) {
    return optional(
        key, JsonModelConfig::isInteger, JsonNode::intValue, "a whole number", fallback);
  }

  @Override
  public double real(String key, double fallback) {
    return optional(key, JsonModelConfig::isReal, JsonNode::doubleValue, "a number", fallback);
  }

  @Override
  public boolean flag(String key, boolean fallback) {
    return optional(key, JsonNode::isBoolean, JsonNode::booleanValue, "true or false", fallback);
  }

  @Override
  public String text(String key, String fallback) {
    return optional(key, JsonNode::isTextual, JsonNode::textValue, "a string", fallback);
  }

  @Override
  public List<Double> reals(String key) {
    return list(key, JsonModelConfig::isReal, JsonNode::doubleValue, "a number");
  }

  @Override
  public List<String> texts(String key) {
    return list(key, JsonNode::isTextual, JsonNode::textValue, "a string");
  }

  @Override
  public JsonModelConfig object(String key) {
    if (!has(key)) {
      return new JsonModelConfig(
          file, JsonNodeFactory.instance.objectNode(), path + key + ".", code);
    }
    if (node.get(key) instanceof ObjectNode object) {
      return new JsonModelConfig(file, object, path + key + ".", code);
    }
    throw mistyped(key, node.get(key), "an object");
  }

  /** A whole number or an array of them; empty where the key is missing. */
  List<Integer> integers(String key) {
    return has(key) && node.get(key).isArray()
        ? list(key, JsonModelConfig::isInteger, JsonNode::intValue, "a whole number")
        : has(key) ? List.of(integer(key)) : List.of();
  }

  private <T> T optional(
      String key,
      Predicate<JsonNode> accepted,
      Function<JsonNode, T> value,
      String wanted,
      T fallback) {
    if (!has(key)) {
      return fallback;
    }
    JsonNode found = node.get(key);
    if (!accepted.test(found)) {
      throw mistyped(key, found, wanted);
    }
    return value.apply(found);
  }

  private <T> List<T> list(
      String key, Predicate<JsonNode> accepted, Function<JsonNode, T> value, String wanted) {
    if (!has(key)) {
      return List.of();
    }
    JsonNode array = node.get(key);
    if (!array.isArray()) {
      throw mistyped(key, array, "an array");
    }
    List<T> values = new ArrayList<>(array.size());
    for (JsonNode element : array) {
      if (!accepted.test(element)) {
        throw mistyped(key + "[" + values.size() + "]", element, wanted);
      }
      values.add(value.apply(element));
    }
    return List.copyOf(values);
  }

  private static boolean isInteger(JsonNode found) {
    return found.isNumber() && found.canConvertToExactIntegral() && found.canConvertToInt();
  }

  private static boolean isReal(JsonNode found) {
    return found.isNumber() && Double.isFinite(found.doubleValue());
  }

  private InferenceException mistyped(String key, @Nullable JsonNode found, String wanted) {
    return new InferenceException(
        code, file + ": " + path + key + " is " + JsonFile.shown(found) + ", not " + wanted);
  }
}
