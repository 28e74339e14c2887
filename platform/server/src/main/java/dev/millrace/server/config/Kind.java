package dev.millrace.server.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.dropwizard.util.DataSize;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The values a setting may have. A flag's value arrives as text, a file's as whatever YAML made of
 * it; both are read here.
 *
 * @param metavar what the help shows for the value
 * @param expected what a good value is, in words
 * @param reader makes the value; null if the node is none
 */
public record Kind<T>(String metavar, String expected, Function<JsonNode, @Nullable T> reader) {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final TypeReference<Map<String, Object>> VALUES = new TypeReference<>() {};

  static Kind<String> text(String metavar) {
    return new Kind<>(metavar, "a text", node -> node.isValueNode() ? node.asText() : null);
  }

  static Kind<String> oneOf(String... choices) {
    var all = List.of(choices);
    return new Kind<>(
        "{" + String.join(",", all) + "}",
        "one of " + String.join(", ", all),
        node -> all.contains(node.asText()) ? node.asText() : null);
  }

  static Kind<Integer> count(int least, int most) {
    var expected =
        most == Integer.MAX_VALUE
            ? "a whole number, at least " + least
            : "a whole number from " + least + " to " + most;
    return new Kind<>(
        "N",
        expected,
        node -> {
          var value = wholeNumber(node);
          return value == null || value < least || value > most ? null : value.intValue();
        });
  }

  /** A part of a whole. */
  static Kind<Double> part() {
    return new Kind<>(
        "PART",
        "a number above 0 and at most 1",
        node -> {
          try {
            double part = Double.parseDouble(node.asText());
            return part > 0 && part <= 1 ? part : null;
          } catch (NumberFormatException _) {
            return null;
          }
        });
  }

  static Kind<Boolean> flag() {
    return new Kind<>(
        "BOOL",
        "true or false",
        node ->
            switch (node.asText()) {
              case "true" -> true;
              case "false" -> false;
              default -> null;
            });
  }

  static Kind<Long> whole() {
    return new Kind<>("N", "a whole number of 64 bits", Kind::wholeNumber);
  }

  static Kind<Long> bytes() {
    return new Kind<>(
        "SIZE",
        "a size above zero like 512MiB or 4GiB",
        node -> {
          try {
            long bytes = DataSize.parse(node.asText()).toBytes();
            return bytes > 0 ? bytes : null;
          } catch (IllegalArgumentException _) {
            return null;
          }
        });
  }

  static Kind<Duration> seconds() {
    return new Kind<>(
        "SECONDS",
        "seconds, 0 or more",
        node -> {
          var value = wholeNumber(node);
          return value == null || value < 0 ? null : Duration.ofSeconds(value);
        });
  }

  /** One text, a text with commas, or a list of texts. */
  static Kind<List<String>> texts(String metavar) {
    return texts(metavar, text -> text.split(",", -1));
  }

  /** One text or a list of texts, in which a comma is a character like any other. */
  static Kind<List<String>> wholeTexts(String metavar) {
    return texts(metavar, text -> new String[] {text});
  }

  private static Kind<List<String>> texts(String metavar, Function<String, String[]> parts) {
    return new Kind<>(
        metavar,
        "a text or a list of texts, none of them empty",
        node -> {
          var texts = new ArrayList<String>();
          for (JsonNode part : node.isArray() ? node : List.of(node)) {
            if (!part.isValueNode()) {
              return null;
            }
            for (String text : parts.apply(part.asText())) {
              texts.add(text.strip());
            }
          }
          return texts.contains("") ? null : List.copyOf(texts);
        });
  }

  /** A map of maps of plain values, kept as text. */
  static Kind<Map<String, Map<String, String>>> textsByName() {
    return new Kind<>(
        "MAP",
        "for each name a map of plain values",
        node -> {
          if (!node.isObject()) {
            return null;
          }
          var byName = new LinkedHashMap<String, Map<String, String>>();
          for (var entry : node.properties()) {
            var texts = new LinkedHashMap<String, String>();
            for (var inner : entry.getValue().properties()) {
              if (!inner.getValue().isValueNode()) {
                return null;
              }
              texts.put(inner.getKey(), inner.getValue().asText());
            }
            if (!entry.getValue().isObject() && !entry.getValue().isNull()) {
              return null;
            }
            byName.put(entry.getKey(), Map.copyOf(texts));
          }
          return Map.copyOf(byName);
        });
  }

  /** A map of any values; a flag has it as JSON. */
  static Kind<Map<String, Object>> object() {
    return new Kind<>(
        "JSON",
        "a map, or a JSON object as text",
        node -> {
          try {
            var object = node.isTextual() ? MAPPER.readTree(node.asText()) : node;
            return object.isObject() ? MAPPER.convertValue(object, VALUES) : null;
          } catch (JsonProcessingException _) {
            return null;
          }
        });
  }

  private static @Nullable Long wholeNumber(JsonNode node) {
    if (!node.isTextual() && !node.isIntegralNumber()) {
      return null;
    }
    try {
      return Long.valueOf(node.asText());
    } catch (NumberFormatException _) {
      return null;
    }
  }
}
