package dev.millrace.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

  private int compare(String... more) {
    var arguments = new ArrayList<String>();
    arguments.addAll(List.of("--launcher", folder.resolve("launcher").toString()));
    arguments.addAll(List.of("--out", folder.resolve("out").toString()));
    arguments.addAll(List.of("--requests", "12", "--max-num-seqs", "2"));
    arguments.addAll(List.of(more));
    return run(arguments.toArray(String[]::new));
  }

  private int run(String... arguments) {
    return Main.run(new PrintWriter(output, true), new PrintWriter(errors, true), arguments);
  }

  private String read(String name) throws IOException {
    return Files.readString(folder.resolve("out").resolve(name));
  }

  @Test
  void measuresEachSchedulerOnAServerOfItsOwnAndWritesTheReport() throws IOException {
    assertEquals(0, compare("--model", "some model", "--", "--threads", "2"), errors::toString);

    String summary = read("summary.md");
    assertTrue(summary.contains("|  | static | continuous | ratio | lock-step bound |"), summary);
    assertTrue(summary.contains("| errors | 0 | 0 |"), summary);
    assertTrue(summary.contains("4 users, 12 requests"), summary);
    for (String row :
        List.of(
            "throughput",
            "mean TTFT",
            "P50 TTFT",
            "P99 TTFT",
            "P99 latency",
            "P99 ITL",
            "peak memory")) {
      assertTrue(summary.contains("| " + row), row);
    }
    assertFalse(summary.contains("ERRORS"), summary);
    assertTrue(output.toString().contains("lock-step bound"), output::toString);
    assertTrue(errors.toString().contains("compare: continuous: open loop, 12 requests"));

    for (String scheduler : List.of("static", "continuous")) {
      String log = read("server-" + scheduler + ".log");
      assertTrue(log.startsWith("build: skip"), log);
      assertTrue(
          log.contains("serve --model some model --scheduler " + scheduler + " --max-num-seqs 2"),
          log);
      assertTrue(log.contains("--threads 2"), log);
      assertTrue(log.endsWith("stopped\n"), log);
      assertTrue(Files.size(folder.resolve("out").resolve(scheduler + "-closed.hlog")) > 0);
      assertTrue(read(scheduler + "-open.json").contains("\"completed\" : 12"));
    }
    assertTrue(read("command.txt").startsWith("./millrace compare --launcher "));
    assertTrue(read("command.txt").contains(" --model 'some model' -- --threads 2"));
    assertTrue(new ObjectMapper().readTree(read("machine.json")).path("cores").asInt() > 0);
  }

  @Test
  void bothColumnsGetTheSameTokensToProduce() throws IOException {
    assertEquals(0, compare("--lengths", "chat"), errors::toString);
    var json = new ObjectMapper();
    var first = json.readTree(read("static-closed.json"));
    for (String other : List.of("static-open", "continuous-closed", "continuous-open")) {
      var run = json.readTree(read(other + ".json"));
      assertEquals(first.path("output_tokens"), run.path("output_tokens"));
      assertEquals(first.path("prompt_tokens"), run.path("prompt_tokens"));
    }
  }

  @Test
  void failedRequestsAreShownApartAndFailTheCommand() throws IOException {
    assertEquals(1, compare("--schedulers", "static", "--", "--break", "5"), errors::toString);
    String summary = read("summary.md");
    assertTrue(summary.contains("|  | static |\n"), summary);
    assertTrue(summary.contains("ERRORS in static-closed: "), summary);
    assertTrue(summary.contains("BROKEN_STREAM"), summary);
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
    assertTrue(errors.toString().contains("with the scheduler static none of"), errors::toString);
  }

  @Test
  void wrongCommandLinesAreRefusedBeforeAnythingStarts() throws IOException {
    assertEquals(2, compare("--users", "-1"));
    assertEquals(2, compare("--schedulers", "static,static"));
    assertEquals(2, compare("stray"));
    assertEquals(2, compare("--lengths", "wavy"));
    Files.createDirectories(folder.resolve("out"));
    Files.createFile(folder.resolve("out").resolve("older"));
    assertEquals(2, compare());
    assertTrue(errors.toString().contains("is not empty"), errors::toString);
  }

  @Test
  void helpIsPrintedOnRequest() {
    assertEquals(0, run("--help"));
    assertTrue(output.toString().contains("--schedulers"));
  }
}
