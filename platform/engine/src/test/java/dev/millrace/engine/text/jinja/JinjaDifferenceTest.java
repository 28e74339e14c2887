package dev.millrace.engine.text.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

/**
 * Operators, methods, filters, tests, formats and white space in combination, against the answers
 * of Jinja2; jinja2-cases.py beside the data makes them anew.
 */
class JinjaDifferenceTest {
  @Test
  void everyCombinationEqualsJinja2() throws IOException {
    JsonNode file;
    try (var in =
        new GZIPInputStream(
            Objects.requireNonNull(
                JinjaDifferenceTest.class.getResourceAsStream("jinja2-cases.json.gz")))) {
      file = JinjaCases.JSON.readTree(in);
    }
    Map<String, Object> variables = JinjaCases.variables(file.get("variables"));
    List<String> wrong = new ArrayList<>();
    for (JsonNode one : file.get("cases")) {
      String template = one.get("template").asText();
      String expected = one.has("ok") ? "'" + one.get("ok").asText() + "'" : "an error";
      String actual;
      try {
        actual = "'" + JinjaCases.render(template, variables) + "'";
      } catch (JinjaException _) {
        actual = "an error";
      }
      if (!actual.equals(expected)) {
        wrong.add(template + " expected " + expected + " but was " + actual);
      }
    }
    assertEquals(List.of(), wrong);
    assertEquals(11_621, file.get("cases").size());
  }
}
