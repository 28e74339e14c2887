package dev.millrace.server.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.hub.Extent;
import dev.millrace.engine.hub.Hub;
import dev.millrace.engine.hub.HubReference;
import dev.millrace.engine.hub.HubSettings;
import dev.millrace.server.PlainHub;
import dev.millrace.server.TestServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgressBarTest {
  @Test
  void barFillsAndEndsItsLine(@TempDir Path cache) throws Exception {
    var terminal = new StringWriter();
    try (var fake = new PlainHub(TestServer.modelFolder());
        var hub = new Hub(HubSettings.of(fake.environment(cache)))) {
      hub.pull(
          HubReference.parse("org/tiny").orElseThrow(),
          Extent.ALL,
          new ProgressBar(new PrintWriter(terminal)));
    }
    String last = terminal.toString().substring(terminal.toString().lastIndexOf('\r') + 1);
    assertTrue(last.startsWith("org/tiny [" + "=".repeat(24) + "] 100 % 3"), last);
    assertTrue(last.endsWith("\u001b[K\n"), last);
    assertEquals(1, terminal.toString().chars().filter(c -> c == '\n').count());
  }
}
