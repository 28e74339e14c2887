package dev.millrace.cuda;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.Locale;
import java.util.function.Consumer;

/** Lines of measurements: how long, and what part of what the card could do. */
final class BenchReport {
  /** BF16 products of a library on random numbers, as measured on an H200. */
  private static final double PEAK = 790e12;

  private final ArrayNode json;
  private final Consumer<String> say;
  private double bandwidth = Double.NaN;

  BenchReport(ArrayNode json, Consumer<String> say) {
    this.json = json;
    this.say = say;
  }

  /** The copy bandwidth that all others are compared with, in bytes a second. */
  void bandwidth(double value) {
    bandwidth = value;
    say.accept("copy bandwidth %.0f GB/s, read and written".formatted(value / 1e9));
  }

  /**
   * A measurement.
   *
   * @param bytes that must be read and written
   * @param operations of multiplying and adding, 0 if they do not matter
   */
  void add(String kernel, String shape, double seconds, double bytes, double operations) {
    double byBytes = bytes / bandwidth;
    double byOperations = operations / PEAK;
    boolean moves = byBytes >= byOperations;
    double share = Math.max(byBytes, byOperations) / seconds;
    json.addObject()
        .put("kernel", kernel)
        .put("shape", shape)
        .put("us", seconds * 1e6)
        .put("GB/s", bytes / seconds / 1e9)
        .put("TFLOP/s", operations / seconds / 1e12)
        .put("bound", moves ? "copy" : "790 TFLOP/s")
        .put("share", share);
    say.accept(
        String.format(
            Locale.ROOT,
            "%-28s %-34s %9.1f us %s %3.0f%% of %s",
            kernel,
            shape,
            seconds * 1e6,
            moves
                ? "%6.0f GB/s  ".formatted(bytes / seconds / 1e9)
                : "%6.0f TFLOP/s".formatted(operations / seconds / 1e12),
            100 * share,
            moves ? "copy" : "790"));
  }

  /** Something else that was measured. */
  void note(String what, double microseconds) {
    json.addObject().put("what", what).put("us", microseconds);
    say.accept(String.format(Locale.ROOT, "%-63s %9.2f us", what, microseconds));
  }
}
