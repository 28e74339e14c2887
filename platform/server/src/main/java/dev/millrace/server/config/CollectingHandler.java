package dev.millrace.server.config;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.deser.DeserializationProblemHandler;
import com.fasterxml.jackson.databind.jsontype.TypeIdResolver;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Notes what Jackson stumbles over in Dropwizard's part of the file, and lets it go on. */
final class CollectingHandler extends DeserializationProblemHandler {
  private final Problems problems;

  CollectingHandler(Problems problems) {
    this.problems = problems;
  }

  @Override
  public boolean handleUnknownProperty(
      DeserializationContext context,
      JsonParser parser,
      JsonDeserializer<?> deserializer,
      Object target,
      String name)
      throws IOException {
    var known = new ArrayList<String>();
    if (deserializer.getKnownPropertyNames() != null) {
      deserializer.getKnownPropertyNames().forEach(each -> known.add(each.toString()));
    }
    problems.unknown(path(parser), name, known);
    parser.skipChildren();
    return true;
  }

  @Override
  public @Nullable Object handleWeirdStringValue(
      DeserializationContext context, Class<?> type, String value, String message) {
    return wrong(context.getParser(), type, "\"" + value + "\"");
  }

  @Override
  public @Nullable Object handleWeirdNumberValue(
      DeserializationContext context, Class<?> type, Number value, String message) {
    return wrong(context.getParser(), type, value.toString());
  }

  @Override
  public @Nullable Object handleUnexpectedToken(
      DeserializationContext context,
      JavaType type,
      JsonToken token,
      JsonParser parser,
      String message)
      throws IOException {
    wrong(parser, type.getRawClass(), token.isStructStart() ? "a list or map" : parser.getText());
    parser.skipChildren();
    return null;
  }

  @Override
  public @Nullable Object handleInstantiationProblem(
      DeserializationContext context, Class<?> type, Object argument, Throwable cause) {
    return wrong(context.getParser(), type, "\"" + argument + "\"");
  }

  @Override
  public JavaType handleUnknownTypeId(
      DeserializationContext context,
      JavaType base,
      String id,
      TypeIdResolver resolver,
      String message) {
    problems.add(path(context.getParser()), "there is no type \"" + id + "\"");
    return context.constructType(Void.class);
  }

  private @Nullable Object wrong(JsonParser parser, Class<?> type, String found) {
    problems.add(
        path(parser), "found %s, expected a value of %s".formatted(found, type.getSimpleName()));
    return null;
  }

  private static String path(JsonParser parser) {
    var parts = new ArrayList<String>();
    for (JsonPointer at = parser.getParsingContext().pathAsPointer();
        at != null && !at.matches();
        at = at.tail()) {
      parts.add(Objects.requireNonNull(at.getMatchingProperty()));
    }
    return String.join(".", List.copyOf(parts));
  }
}
