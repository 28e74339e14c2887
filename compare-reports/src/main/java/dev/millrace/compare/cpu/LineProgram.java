package dev.millrace.compare.cpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.compare.CompareException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A program that holds a model and measures when it is told to: {@code ./millrace bench --turns} or
 * the script for PyTorch. A line says what, a line of JSON answers; the first line of JSON comes by
 * itself. It ends when its input does, and so with this process.
 */
final class LineProgram implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration LIMIT = Duration.ofMinutes(5);
  private static final int SECONDS_TO_STOP = 20;

  /** Stands for the end of the output. */
  private static final String END = "";

  private final String name;
  private final Process process;
  private final Path log;
  private final Writer in;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
  private final JsonNode first;

  private LineProgram(String name, Process process, Path log) {
    this.name = name;
    this.process = process;
    this.log = log;
    this.in = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
    Thread.ofVirtual().start(this::read);
    this.first = await();
  }

  /** Starts one and waits until it has its model. */
  static LineProgram start(String name, List<String> command, Path log) {
    var builder = new ProcessBuilder(command);
    builder.redirectError(log.toFile());
    builder.environment().put("MILLRACE_BUILD", "skip");
    try {
      return new LineProgram(name, builder.start(), log);
    } catch (IOException e) {
      throw new CompareException("cannot start " + command.getFirst() + ": " + e.getMessage());
    }
  }

  /** What it said of itself. */
  JsonNode first() {
    return first;
  }

  /** Has it measure something. */
  JsonNode ask(String line) {
    try {
      in.write(line + "\n");
      in.flush();
    } catch (IOException e) {
      throw new CompareException(name + " has ended: " + e.getMessage() + "; see " + log);
    }
    return await();
  }

  /** Has it measure something that is given in tokens per second. */
  double rate(String line) {
    return ask(line).path("tokens_per_second").asDouble(Double.NaN);
  }

  private void read() {
    try (var reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (line.startsWith("{")) { // else it is meant for people
          lines.add(line);
        }
      }
    } catch (IOException | UncheckedIOException _) {
      // it has been stopped
    }
    lines.add(END);
  }

  private JsonNode await() {
    try {
      String line = lines.poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
      if (line == null || line.equals(END)) {
        process.destroyForcibly();
        String what =
            line == null ? " did not answer in " + LIMIT.toMinutes() + " minutes" : " ended";
        throw new CompareException(name + what + "; see " + log);
      }
      return JSON.readTree(line);
    } catch (IOException e) {
      throw new CompareException(name + " answered what is not JSON: " + e.getMessage());
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new CompareException("interrupted");
    }
  }

  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException _) {
      // it has ended by itself
    }
    try {
      if (!process.waitFor(SECONDS_TO_STOP, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException _) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
