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

  Row measure() {
    var log = bench.settings().out().resolve("gc.log").toAbsolutePath();
    long tokens = 0;
    double seconds = 0;
    var options = Map.of("MILLRACE_JAVA_OPTS", "-Xms512m -Xmx512m -Xlog:gc:file=" + log);
    try (var server = Served.own(bench, model, options)) {
      int context = Math.min(CONTEXT, server.contextLimit());
      for (int run = 0; seconds < bench.settings().pauseSeconds(); run++) {
        bench.tell("pauses, %.0f s of load".formatted(seconds));
        var calls = new Workload(LengthShape.CHAT, REQUESTS, PROMPT, OUTPUT, context, run).calls();
        var result = server.send(bench, calls, USERS);
        tokens += result.outputTokens();
        seconds += result.wallNanos() / 1e9;
      }
    }
    var pauses = pauses(log);
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
            "%d pauses: median %.2f ms, P99 %.2f ms, longest %.2f ms; %,d tokens given"
                .formatted(
                    pauses.getTotalCount(),
                    pauses.getValueAtPercentile(50) / 1e3,
                    pauses.getValueAtPercentile(99) / 1e3,
                    pauses.getMaxValue() / 1e3,
                    tokens)));
  }

  private static Histogram pauses(Path log) {
    try (var lines = Files.lines(log)) {
      return pauses(lines.toList());
    } catch (IOException e) {
      throw new CompareException("the server left no log of its collector: " + e.getMessage());
    }
  }

  /** Pauses in microseconds, of a log of the JVM with the tag {@code gc}. */
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
