package dev.millrace.cuda;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.Set;

/**
 * What a part's process has found so far, in a file that outlives it: a process that follows goes
 * on where it ended.
 */
final class SuiteRecord {
  private static final int LONGEST = 600;

  private final Path file;
  private final ObjectNode json;

  private SuiteRecord(Path file, ObjectNode json) {
    this.file = file;
    this.json = json;
  }

  static Path file(Path folder, String name) {
    return folder.resolve("parts").resolve(name + ".json");
  }

  /** A new one, or what a process before has left, whose last test has then failed. */
  static SuiteRecord open(String folder, String name) throws IOException {
    var file = file(Path.of(folder), name);
    var mapper = new ObjectMapper();
    var json =
        Files.exists(file)
            ? (ObjectNode) mapper.readTree(file.toFile())
            : mapper.createObjectNode().put("passed", 0).put("failed", 0);
    var record = new SuiteRecord(file, json);
    if (json.get("running") instanceof ObjectNode running) {
      String id = running.path("id").textValue();
      record.finish(id, running.path("test").textValue(), 0, "its process ended or was ended");
    }
    return record;
  }

  /** To put further findings into. */
  ObjectNode json() {
    return json;
  }

  /** Ids of all tests that have been run. */
  Set<String> done() {
    var ids = new HashSet<String>();
    json.withArray("tests").forEach(test -> ids.add(test.path("id").textValue()));
    return ids;
  }

  void say(String line) {
    System.out.println(line);
    json.withArray("lines").add(line);
    write();
  }

  /** Something that is no test went wrong. */
  void fail(String what, String error) {
    json.withArray("failures").add(shortened(what + ": " + error));
    json.put("failed", json.path("failed").intValue() + 1);
    write();
  }

  void begin(String id, String test) {
    json.putObject("running").put("id", id).put("test", test);
    write();
  }

  /**
   * A test has ended.
   *
   * @param error empty if it passed
   */
  void finish(String id, String test, double seconds, String error) {
    json.remove("running");
    json.withArray("tests").addObject().put("id", id).put("test", test).put("seconds", seconds);
    if (error.isEmpty()) {
      json.put("passed", json.path("passed").intValue() + 1);
      write();
    } else {
      fail(test, error);
    }
  }

  /** Nothing more is to be run. */
  void end() {
    json.put("ended", true);
    write();
  }

  private static String shortened(String text) {
    return text.substring(0, Math.min(LONGEST, text.length()));
  }

  private void write() {
    try {
      Files.createDirectories(file.resolveSibling("."));
      var next = file.resolveSibling(file.getFileName() + ".new");
      Files.writeString(next, json.toPrettyString());
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
