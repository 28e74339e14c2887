package dev.millrace.server.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.engine.EngineListener;
import dev.millrace.engine.InferenceHost;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.LoadFormat;
import dev.millrace.engine.load.ModelSettings;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.server.TestServer;
import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TurnsTest {
  private static List<JsonNode> answers(String lines) throws Exception {
    var out = new StringWriter();
    var model =
        new ModelSettings(
            "tiny", TestServer.modelFolder(), "", Map.of(), DtypeChoice.AUTO, LoadFormat.AUTO, 0);
    try (var plugins = PluginCatalog.open(Path.of(TestServer.PLUGINS));
        var host =
            InferenceHost.open(
                BenchHost.settings(model, "auto", "none", 1), plugins, EngineListener.NONE)) {
      new Turns(host, 1, new PrintWriter(out))
          .take(new BufferedReader(new StringReader(lines)), 1.5);
    }
    var answers = new ArrayList<JsonNode>();
    for (String line : out.toString().lines().toList()) {
      answers.add(new ObjectMapper().readTree(line));
    }
    return answers;
  }

  @Test
  void everyLineIsAnsweredByOneOfJson() throws Exception {
    var answers = answers("prefill 16\ndecode 3 8 8\n");
    assertEquals(3, answers.size());
    assertEquals(1.5, answers.getFirst().path("open_seconds").asDouble());
    assertTrue(answers.get(1).path("tokens_per_second").asDouble() > 0, answers::toString);
    // 0 if all tokens had come before they were first looked at
    assertTrue(answers.get(2).path("tokens_per_second").isNumber(), answers::toString);
  }

  @Test
  void firstLineCountsWhatAStepReadsAndMultiplies() throws Exception {
    var work = answers("").getFirst().path("work");
    long weights = work.path("bodyWeights").asLong() + work.path("headWeights").asLong();
    assertTrue(weights > 0, work::toString);
    assertTrue(work.path("readBytes").asLong() >= 2 * weights, work::toString);
    assertTrue(work.path("cacheNumbers").asLong() > 0, work::toString);
    assertTrue(work.path("attentionOperations").asLong() > 0, work::toString);
  }

  @Test
  void whatCannotBeMeasuredIsRefusedWithWhatCan() {
    var failure = assertThrows(IllegalArgumentException.class, () -> answers("encode 5\n"));
    assertTrue(
        failure.toString().contains("expected prefill, decode or machine"), failure::toString);
  }
}
