package dev.millrace.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Server and client over the time of the whole comparison, one below the other on one axis. */
final class TimeCharts {
  private static final int WIDTH = 1120;
  private static final int HEIGHT = 170;

  private final Contest contest;
  private final List<Sample> samples;
  private final double[] seconds;
  private final Axis time;
  private final List<LineChart.Band> bands = new ArrayList<>();

  TimeCharts(Contest contest, Charts charts) {
    this.contest = contest;
    this.samples = contest.samples();
    this.seconds = samples.stream().mapToDouble(s -> at(s.nanos())).toArray();
    this.time = Axis.fromZero("seconds", seconds.length == 0 ? 1 : seconds[seconds.length - 1]);
    for (var column : contest.columns()) {
      for (var run : column.runs()) {
        double from = at(run.result().firstNanos());
        double to = from + run.result().wallNanos() / 1e9;
        bands.add(new LineChart.Band(from, to, charts.style(column), run.result().name()));
      }
    }
  }

  private double at(long nanos) {
    return (nanos - contest.startNanos()) / 1e9;
  }

  String tokens() {
    return chart("tokens/s", List.of(line("generated tokens/s", "k0", rate(Sample::tokens))));
  }

  String sequences() {
    return chart(
        "sequences",
        List.of(
            line("running", "k0", level(Sample::running)),
            line("waiting", "k1", level(Sample::waiting))));
  }

  String blocks() {
    return chart(
        "KV blocks",
        List.of(
            line("used", "k0", level(Sample::blocksUsed)),
            line("reserved", "k1", level(Sample::blocksReserved))));
  }

  String processors() {
    return chart(
        "busy cores",
        List.of(
            line("server", "k0", rate(Sample::serverCpu)),
            line("client", "k1", rate(Sample::clientCpu))));
  }

  String collectors() {
    return chart(
        "GC ms per s",
        List.of(
            line("server", "k0", rate(s -> 1e3 * s.serverCollector())),
            line("client", "k1", rate(s -> 1e3 * s.clientCollector()))));
  }

  String memory() {
    return chart(
        "resident MiB", List.of(line("server", "k0", level(s -> s.residentBytes() / 1048576))));
  }

  private LineChart.Series line(String name, String style, double[] values) {
    return new LineChart.Series(name, style, seconds, values, false);
  }

  private double[] level(ToDoubleFunction<Sample> value) {
    return samples.stream().mapToDouble(value).toArray();
  }

  /** The growth of a counter per second, from one look to the next. */
  private double[] rate(ToDoubleFunction<Sample> counter) {
    var rates = new double[samples.size()];
    for (int i = 1; i < rates.length; i++) {
      double grown =
          counter.applyAsDouble(samples.get(i)) - counter.applyAsDouble(samples.get(i - 1));
      rates[i] = Math.max(0, grown / (seconds[i] - seconds[i - 1]));
    }
    return rates;
  }

  private String chart(String label, List<LineChart.Series> series) {
    double greatest = 0;
    for (var line : series) {
      for (double value : line.y()) {
        greatest = Double.isFinite(value) ? Math.max(greatest, value) : greatest;
      }
    }
    return new LineChart(
            WIDTH, HEIGHT, label + " over time", time, Axis.fromZero(label, greatest), series)
        .bands(bands)
        .svg();
  }
}
