package dev.millrace.cuda;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A part of the suite, run in a process of its own; where that dies in a test, in further ones for
 * the tests that are left. A CUDA context that is broken once remains so for its process.
 *
 * @param name the part's, or that of a test class
 * @param deadline of the whole suite, by {@link System#nanoTime}
 */
record SuiteProcess(Path folder, SuitePart part, String name, long deadline) {
  private static final int MOST_PROCESSES = 40;

  /** What came of it. */
  record Result(String name, boolean passed, ObjectNode json, List<String> lines) {}

  Result run() throws IOException, InterruptedException {
    var file = SuiteRecord.file(folder, name);
    Files.createDirectories(folder.resolve("parts"));
    Files.deleteIfExists(file);
    var log = folder.resolve("parts").resolve(name + ".log").toFile();
    Files.deleteIfExists(log.toPath());
    long start = System.nanoTime();
    long end = start + Math.min(deadline - start, TimeUnit.SECONDS.toNanos(part.seconds()));
    var json = read(file);
    int processes = 0;
    boolean goesOn = true;
    while (goesOn) {
      int before = json.path("tests").size();
      boolean inTime = runOnce(log, end - System.nanoTime());
      processes++;
      json = read(file);
      boolean gotOn = json.path("tests").size() > before || json.has("running");
      goesOn = inTime && !json.has("ended") && gotOn && processes < MOST_PROCESSES;
    }
    json.put("processes", processes).put("seconds", (System.nanoTime() - start) / 1e9);
    return result(json);
  }

  /** Whether it ended by itself. */
  private boolean runOnce(File log, long nanos) throws IOException, InterruptedException {
    var temporary = Files.createTempDirectory("gpu-suite"); // JCuda unpacks its library there
    var process =
        new ProcessBuilder(command(temporary))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log))
            .start();
    try {
      return process.waitFor(Math.max(0, nanos), TimeUnit.NANOSECONDS);
    } finally {
      process.destroyForcibly();
      boolean _ = process.waitFor(10, TimeUnit.SECONDS);
      try (var files = Files.walk(temporary)) {
        files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
      }
    }
  }

  private List<String> command(Path temporary) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    command.addAll(List.of("-Xmx6g", "--enable-native-access=ALL-UNNAMED"));
    command.addAll(List.of("-Dai.djl.offline=true", "-DRUST_FLAVOR=cpu")); // carried, not fetched
    command.add("-Djava.io.tmpdir=" + temporary);
    for (var key : System.getProperties().stringPropertyNames()) {
      if (key.startsWith("millrace.")) {
        command.add("-D" + key + "=" + System.getProperty(key));
      }
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(SuitePart.class.getName());
    command.addAll(List.of(folder.toString(), part.argument(), name));
    return command;
  }

  private static ObjectNode read(Path file) throws IOException {
    var mapper = new ObjectMapper();
    return Files.exists(file)
        ? (ObjectNode) mapper.readTree(file.toFile())
        : mapper.createObjectNode();
  }

  private Result result(ObjectNode json) {
    var lines = new ArrayList<String>();
    int passed = json.path("passed").intValue();
    int failed = json.path("failed").intValue();
    boolean ended = json.has("ended");
    boolean well = ended && failed == 0 && (passed > 0 || !part.isTests());
    double seconds = json.path("seconds").doubleValue();
    if (part.isTests()) {
      lines.add("%s: %d passed, %d failed, %.1f s".formatted(name, passed, failed, seconds));
    } else {
      lines.add("%s: %s, %.1f s".formatted(name, well ? "done" : "failed", seconds));
    }
    json.path("failures").forEach(failure -> lines.add("  " + failure.textValue()));
    if (!ended) {
      String last = json.path("running").path("test").asText("");
      lines.add(
          "  did not end%s; see parts/%s.log"
              .formatted(last.isEmpty() ? "" : ", last in " + last, name));
    }
    json.path("lines").forEach(line -> lines.add("  " + line.textValue()));
    return new Result(name, well, json, lines);
  }
}
