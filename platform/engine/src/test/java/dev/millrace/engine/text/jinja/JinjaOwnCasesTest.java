package dev.millrace.engine.text.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Dense cases whose answers come from Jinja2 3.1.6 in the environment of transformers. */
class JinjaOwnCasesTest {
  @TestFactory
  Stream<DynamicTest> everyCaseEqualsJinja2() throws IOException {
    JsonNode file;
    try (var in =
        Objects.requireNonNull(JinjaOwnCasesTest.class.getResourceAsStream("own-cases.json"))) {
      file = JinjaCases.JSON.readTree(in);
    }
    Map<String, Object> context = JinjaCases.variables(file.get("context"));
    List<JsonNode> cases = StreamSupport.stream(file.get("cases").spliterator(), false).toList();
    assertEquals(51, cases.size());
    return IntStream.range(0, cases.size())
        .mapToObj(i -> dynamicTest("case " + i, () -> check(cases.get(i), context)));
  }

  private static void check(JsonNode expected, Map<String, Object> context) {
    String template = expected.get("template").asText();
    if (expected.has("ok")) {
      assertEquals(expected.get("ok").asText(), JinjaCases.render(template, context));
      return;
    }
    var failure =
        assertThrows(JinjaException.class, () -> JinjaCases.render(template, context), template);
    String error = expected.get("error").asText();
    if (!error.equals("TypeError") || !template.contains("include")) {
      assertEquals(expected.get("message").asText(), failure.getMessage());
    }
    assertEquals(error.equals("TemplateError"), failure.kind() == JinjaException.Kind.RAISED);
  }
}
