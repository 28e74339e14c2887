package dev.millrace.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompareTest {
  @TempDir Path folder;
  private final StringWriter output = new StringWriter();
  private final StringWriter errors = new StringWriter();

  @BeforeEach
  void writeLauncher() throws IOException {
    var launcher = Files.createFile(folder.resolve("launcher"));
    Files.writeString(
        launcher,
        """
        #!/bin/sh
        echo "build: $MILLRACE_BUILD"
        exec '%s' -cp '%s' %s "$@"
        """
            .formatted(
                Path.of(System.getProperty("java.home"), "bin", "java"),
                System.getProperty("java.class.path"),
                FakeServer.class.getName()));
    assertTrue(launcher.toFile().setExecutable(true));
  }

  /** A comparison of few requests; on a busy machine the client may be late: 5 instead of 0. */
  private int compare(String... more) {
    var arguments = new ArrayList<String>();
    arguments.addAll(List.of("--launcher", folder.resolve("launcher").toString()));
    arguments.addAll(List.of("--out", folder.resolve("out").toString()));
    arguments.addAll(List.of("--requests", "12", "--max-num-seqs", "2", "--repetitions", "2"));
    arguments.addAll(List.of("--output-tokens", "4", "--check", "3", "--most-users", "2"));
    arguments.addAll(List.of(more));
    return run(arguments.toArray(String[]::new));
  }

  private int run(String... arguments) {
    return Main.run(new PrintWriter(output, true), new PrintWriter(errors, true), arguments);
  }

  private String read(String name) throws IOException {
    return Files.readString(folder.resolve("out").resolve(name));
  }

  private JsonNode results() throws IOException {
    return new ObjectMapper().readTree(read("results.json"));
  }

  private void assertMade(int status) {
    assertTrue(status == 0 || status == 5, status + ": " + errors);
  }

  @Test
  void runsTakeTurnsOnOneServerAndTheReportIsWhole() throws IOException {
    assertMade(compare("--model", "some model", "--", "--threads", "2"));
    String log = read("server.log");
    assertTrue(log.startsWith("build: skip"), log);
    assertTrue(log.contains("serve --model some model --scheduler static --max-num-seqs 2"), log);
    assertTrue(log.contains("--no-enable-prefix-caching --threads 2"), log);
    assertTrue(log.endsWith("stopped\n"), log);
    assertEquals(
        List.of("static-closed-1", "continuous-closed-1", "static-closed-2", "continuous-closed-2"),
        results().findValues("runs").stream()
            .flatMap(JsonNode::valueStream)
            .sorted(Comparator.comparingDouble(run -> run.path("start_seconds").asDouble()))
            .map(run -> run.path("name").asText())
            .limit(4)
            .toList());
    assertEquals("cardboard (folded kernels)", results().path("server").path("device").asText());
    assertEquals(64, results().path("total_kv_blocks").asInt());
    assertTrue(results().path("answers_compared").asInt() >= 90, results()::toString);
    for (String file : List.of("machine.json", "timeline.csv", "runs/static-open-2.hlog")) {
      assertTrue(Files.size(folder.resolve("out").resolve(file)) > 0, file);
    }
    assertTrue(read("command.txt").startsWith("./millrace compare --launcher "));
    assertTrue(read("command.txt").contains(" --model 'some model' "));
    String summary = read("summary.md");
    assertTrue(summary.contains("| continuous : static | lock-step bound |"), summary);
    assertTrue(summary.contains("cardboard (folded kernels)"), summary);
    assertTrue(summary.contains("| 2 or more | 2 or more |"), summary);
    assertTrue(summary.contains("| wrong answers | 0 | 0 |"), summary);
  }

  @Test
  void thePageFetchesNothing() throws IOException {
    assertMade(compare());
    String page = read("report.html");
    for (String part : List.of("<script", "http://", "https://", "url(", "@import", "NaN")) {
      assertFalse(page.contains(part), part);
    }
    for (String part : List.of("<svg", "prefers-color-scheme: dark", "cardboard", "P99 TTFT")) {
      assertTrue(page.contains(part), part);
    }
  }

  @Test
  void aSlowerSchedulerIsSeenAsSlowerAndThresholdsHoldItToIt() throws IOException {
    assertEquals(4, compare("--schedulers", "quick,slow", "--require", "throughput=0.9"));
    String summary = read("summary.md");
    assertTrue(summary.contains("UNMET: throughput is 0."), summary);
    double ratio = results().at("/contenders/1/metrics/throughput/ratio").asDouble();
    assertTrue(ratio > 0 && ratio < 0.9, "ratio " + ratio);
  }

  @Test
  void aPeerGetsTheSameRunsInAColumnOfItsOwn() throws IOException {
    var peer = new FakeServer(List.of()).serve();
    try {
      assertMade(compare("--peer", "other=http://localhost:" + peer.getAddress().getPort()));
    } finally {
      peer.stop(0);
    }
    String summary = read("summary.md");
    assertTrue(
        summary.contains(
            "|  | static | continuous | other | continuous : static | other : static |"),
        summary);
    var all = results().path("contenders");
    assertEquals("other", all.path(2).path("name").asText());
    assertEquals(all.path(0).path("runs").size(), all.path(2).path("runs").size());
  }

  @Test
  void failedRequestsAreShownApartAndFailTheCommand() throws IOException {
    assertEquals(3, compare("--schedulers", "static", "--", "--break", "5"), errors::toString);
    String summary = read("summary.md");
    assertTrue(summary.contains("ERRORS in static-closed-1: "), summary);
    assertTrue(summary.contains("BROKEN_STREAM"), summary);
  }

  @Test
  void answersThatChangeUnderLoadFailTheCommand() throws IOException {
    assertEquals(3, compare("--schedulers", "static", "--", "--lie", "7"), errors::toString);
    assertTrue(read("summary.md").contains("WRONG ANSWERS with static: "), read("summary.md"));
  }

  @Test
  void aServerThatDiesIsReportedWithItsLastWords() {
    assertEquals(1, compare("--", "--die"));
    assertTrue(errors.toString().contains("ended with status 3 before it was ready"));
    assertTrue(errors.toString().contains("no such model"), errors::toString);
  }

  @Test
  void aRunWithoutOneGoodAnswerIsNoResult() {
    assertEquals(1, compare("--", "--break", "1"));
    assertTrue(errors.toString().contains("with static none of"), errors::toString);
  }

  @Test
  void wrongCommandLinesAreRefusedBeforeAnythingStarts() throws IOException {
    assertEquals(2, compare("--users", "-1"));
    assertEquals(2, compare("--schedulers", "static,static"));
    assertEquals(2, compare("stray"));
    assertEquals(2, compare("--lengths", "wavy"));
    assertEquals(2, compare("--arrivals", "late"));
    assertEquals(2, compare("--peer", "nameless"));
    assertEquals(2, compare("--require", "beauty=2"));
    Files.createDirectories(folder.resolve("out"));
    Files.createFile(folder.resolve("out").resolve("older"));
    assertEquals(2, compare());
    assertTrue(errors.toString().contains("is not empty"), errors::toString);
  }

  @Test
  void helpIsPrintedOnRequest() {
    assertEquals(0, run("--help"));
    assertTrue(output.toString().contains("--schedulers"));
    assertTrue(output.toString().contains("Exit status"));
  }
}
