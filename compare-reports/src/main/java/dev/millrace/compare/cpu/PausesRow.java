package dev.millrace.compare.cpu;

import dev.millrace.compare.CompareException;
import dev.millrace.loadtest.LengthShape;
import dev.millrace.loadtest.Workload;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.HdrHistogram.Histogram;

/** How long the garbage collector stops the server, under load for minutes. */
final class PausesRow {
  private static final int USERS = 32;
  private static final int PROMPT = 128;
  private static final int OUTPUT = 64;
  private static final int CONTEXT = 1024;
  private static final int REQUESTS = 64;
  private static final String OPTIONS = "MILLRACE_JAVA_OPTS";
  private static final Pattern PAUSE = Pattern.compile("\\bPause .* ([0-9.]+)ms$");

  private final Bench bench;
  private final List<String> model;

  /**
   * Ready to measure.
   *
   * @param model options of {@code serve} that name a model; none: the demo model
   */
  PausesRow(Bench bench, List<String> model) {
    this.bench = bench;
    this.model = model;
  }

  /** Starts the server, warms it up, and has it serve for the time that was asked for. */
  Row measure() {
    var log = bench.settings().out().resolve("gc.log").toAbsolutePath();
    int warm;
    double seconds = 0;
    String given = System.getenv().getOrDefault(OPTIONS, "");
    var options = Map.of(OPTIONS, given + " -Xms512m -Xmx512m -Xlog:gc,gc+phases:file=" + log);
    try (var server = Served.own(bench, model, options)) {
      int context = Math.min(CONTEXT, server.contextLimit());
      send(server, context, -1);
      warm = lines(log).size();
      for (int run = 0; seconds < bench.settings().pauseSeconds(); run++) {
        bench.tell("pauses, %.0f s of load".formatted(seconds));
        seconds += send(server, context, run);
      }
    }
    var all = lines(log);
    var pauses = pauses(all.subList(warm, all.size()));
    return new Row(
        "pauses",
        "P99.9 of the collector's pauses, %d users, heap of 512 MB, %.0f s"
            .formatted(USERS, seconds),
        "ms",
        false,
        List.of(new Reading("Millrace", List.of(pauses.getValueAtPercentile(99.9) / 1e3))),
        List.of(),
        Double.NaN,
        List.of(
            "further options of the JVM: " + (given.isBlank() ? "none" : given),
            said("under load", pauses),
            said("before, from its start", pauses(all.subList(0, warm)))));
  }

  private double send(Served server, int context, long seed) {
    var calls = new Workload(LengthShape.CHAT, REQUESTS, PROMPT, OUTPUT, context, seed).calls();
    return server.send(bench, calls, USERS).wallNanos() / 1e9;
  }

  private static String said(String when, Histogram pauses) {
    return "%s %d pauses: median %.2f ms, longest %.2f ms, %.1f ms in all"
        .formatted(
            when,
            pauses.getTotalCount(),
            pauses.getValueAtPercentile(50) / 1e3,
            pauses.getMaxValue() / 1e3,
            pauses.getMean() * pauses.getTotalCount() / 1e3);
  }

  private static List<String> lines(Path log) {
    try {
      return Files.readAllLines(log);
    } catch (IOException e) {
      throw new CompareException("the server left no log of its collector: " + e.getMessage());
    }
  }

  /** Pauses in microseconds, of a log of the JVM with the tag {@code gc}, or with phases. */
  static Histogram pauses(List<String> lines) {
    var histogram = new Histogram(3);
    for (String line : lines) {
      var found = PAUSE.matcher(line);
      if (found.find()) {
        histogram.recordValue(Math.round(Double.parseDouble(found.group(1)) * 1000));
      }
    }
    return histogram;
  }
}
