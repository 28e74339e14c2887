package dev.millrace.engine.text.jinja;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real chat templates on many conversations, against what transformers renders or refuses. */
@Tag("conformance")
class JinjaCorpusTest {
  private static BufferedReader open(String name) throws IOException {
    String oracles = System.getProperty("millrace.oracles");
    assertNotNull(oracles, "the conformance lane needs the system property millrace.oracles");
    Path file = Path.of(oracles, "chat-templates", name);
    return new BufferedReader(
        new InputStreamReader(
            new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8));
  }

  private static JsonNode read(String name) throws IOException {
    try (var in = open(name)) {
      return JinjaCases.JSON.readTree(in);
    }
  }

  @Test
  void everyRenderingAndEveryRefusalOfTheCorpusIsTheSame() throws IOException {
    JsonNode corpus = read("corpus.json.gz");
    JsonNode expected = read("expected.json.gz");
    List<String> wrong = new ArrayList<>();
    int cases = 0;
    for (Map.Entry<String, JsonNode> template : expected.properties()) {
      String source = corpus.get("templates").get(template.getKey()).asText();
      for (Map.Entry<String, JsonNode> one : template.getValue().properties()) {
        var variables = JinjaCases.variables(corpus.get("contexts").get(one.getKey()));
        variables.putIfAbsent("tools", null);
        variables.putIfAbsent("documents", null);
        cases++;
        String difference = difference(source, variables, one.getValue());
        if (!difference.isEmpty()) {
          wrong.add(template.getKey() + " / " + one.getKey() + ": " + difference);
        }
      }
    }
    assertEquals(List.of(), wrong);
    assertEquals(1260, cases);
  }

  @Test
  void everyUnitCaseIsTheSame() throws IOException {
    List<String> wrong = new ArrayList<>();
    int cases = 0;
    try (var in = open("llamacpp-jinja-unit.j2.jsonl.gz")) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        JsonNode one = JinjaCases.JSON.readTree(line);
        cases++;
        String source = one.get("template").asText();
        var variables = JinjaCases.variables(one.get("vars"));
        String difference = difference(source, variables, one.get("jinja2"));
        if (!difference.isEmpty()) {
          wrong.add(source + ": " + difference);
        }
      }
    }
    assertEquals(List.of(), wrong);
    assertEquals(265, cases);
  }

  /** Empty where our rendering, or our refusal, is the expected one. */
  private static String difference(
      String source, Map<String, Object> variables, JsonNode expected) {
    String rendered;
    try {
      rendered = JinjaCases.render(source, variables);
    } catch (JinjaException e) {
      return expected.has("ok") ? "refused: " + e.getMessage() : refusal(e, expected);
    }
    if (!expected.has("ok")) {
      return "rendered, where " + expected.get("err").asText() + " was expected";
    }
    String wanted = expected.get("ok").asText();
    if (wanted.equals(rendered)) {
      return "";
    }
    int at = 0;
    while (at < Math.min(wanted.length(), rendered.length())
        && wanted.charAt(at) == rendered.charAt(at)) {
      at++;
    }
    return "expected ...%s but was ...%s".formatted(around(wanted, at), around(rendered, at));
  }

  private static String refusal(JinjaException failure, JsonNode expected) {
    String error = expected.get("err").asText();
    boolean raised = error.startsWith("TemplateError: ");
    if (raised != (failure.kind() == JinjaException.Kind.RAISED)) {
      return "expected " + error + " but was " + failure.kind() + " " + failure.getMessage();
    }
    String message = String.valueOf(failure.getMessage());
    return !raised || message.startsWith(error.substring("TemplateError: ".length()))
        ? ""
        : "expected " + error + " but was " + message;
  }

  private static String around(String text, int at) {
    return text.substring(Math.max(0, at - 30), Math.min(text.length(), at + 60));
  }
}
