package dev.millrace.loadtest;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogWriter;

/**
 * Writes a result as {@code NAME.hlog}, the histograms in HdrHistogram's compressed log format with
 * a tag for each metric, and {@code NAME.json}, the counts and usual percentiles in milliseconds.
 */
public final class ResultFiles {
  private static final ObjectMapper JSON = new ObjectMapper();

  private ResultFiles() {}

  /** Writes both files into a folder that exists. */
  public static void write(Path folder, LoadResult result) throws IOException {
    writeLog(folder.resolve(result.name() + ".hlog"), result);
    Files.writeString(
        folder.resolve(result.name() + ".json"),
        JSON.writerWithDefaultPrettyPrinter().writeValueAsString(summary(result)) + "\n");
  }

  private static void writeLog(Path file, LoadResult result) throws IOException {
    try (var out = Files.newOutputStream(file)) {
      var log = new HistogramLogWriter(out);
      log.outputComment("[" + result.name() + ": nanoseconds]");
      log.outputLogFormatVersion();
      log.outputStartTime(result.startedEpochMillis());
      log.outputLegend();
      double start = result.startedEpochMillis() / 1e3;
      for (var histogram : result.histograms()) {
        // the ratio scales only the readable column of the greatest value: milliseconds
        log.outputIntervalHistogram(start, start + result.wallNanos() / 1e9, histogram, 1e6);
      }
    }
  }

  private static ObjectNode summary(LoadResult result) {
    var json = JSON.createObjectNode();
    json.put("name", result.name());
    json.put("wall_seconds", result.wallNanos() / 1e9);
    json.put("completed", result.completed());
    json.put("failed", result.failed());
    json.put("prompt_tokens", result.promptTokens());
    json.put("output_tokens", result.outputTokens());
    json.put("output_tokens_per_second", result.outputTokensPerSecond());
    json.put("requests_per_second", result.requestsPerSecond());
    var errors = json.putObject("errors");
    result
        .failures()
        .forEach((kind, count) -> {
          var error = errors.putObject(kind.name().toLowerCase(Locale.ROOT));
          error.put("count", count);
          error.put("example", result.samples().get(kind));
        });
    for (var histogram : result.histograms()) {
      json.set(histogram.getTag() + "_ms", percentiles(histogram));
    }
    return json;
  }

  private static ObjectNode percentiles(Histogram histogram) {
    var json = JSON.createObjectNode();
    json.put("count", histogram.getTotalCount());
    if (histogram.getTotalCount() > 0) {
      json.put("mean", histogram.getMean() / 1e6);
      json.put("min", histogram.getMinValue() / 1e6);
      for (double percentile : new double[] {50, 90, 99, 99.9}) {
        String key = "p" + (percentile == 99.9 ? "99.9" : String.valueOf((int) percentile));
        json.put(key, histogram.getValueAtPercentile(percentile) / 1e6);
      }
      json.put("max", histogram.getMaxValue() / 1e6);
    }
    return json;
  }
}
