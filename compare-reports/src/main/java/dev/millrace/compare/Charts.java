package dev.millrace.compare;

import dev.millrace.loadtest.CompletionCall;
import dev.millrace.loadtest.LoadResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

/** The charts of a report but for the time axis: percentiles, users, repetitions, lengths. */
final class Charts {
  private static final int WIDTH = 540;
  private static final int HEIGHT = 270;

  /** Places on the axis of percentiles: each further nine is one step. */
  private static final List<Axis.Tick> LEVELS =
      List.of(
          new Axis.Tick(0, "0"),
          new Axis.Tick(-Math.log10(0.5), "50"),
          new Axis.Tick(1, "90"),
          new Axis.Tick(2, "99"),
          new Axis.Tick(3, "99.9"));

  private final Contest contest;

  Charts(Contest contest) {
    this.contest = contest;
  }

  /** The class that gives a contender its colour. */
  String style(Column column) {
    return "c" + contest.columns().indexOf(column) % 6;
  }

  /** One latency over its percentiles, the latency runs of a column taken together. */
  String percentiles(String name, Function<LoadResult, Histogram> histogram) {
    var series = new ArrayList<LineChart.Series>();
    double least = Double.MAX_VALUE;
    double greatest = 0;
    for (var column : contest.columns()) {
      var all = new Histogram(3);
      column.of(Run.Kind.LATENCY).forEach(run -> all.add(histogram.apply(run.result())));
      if (all.getTotalCount() == 0 || all.getMaxValue() == 0) {
        continue;
      }
      var x = new double[61];
      var y = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        x[i] = i * 0.05;
        y[i] = all.getValueAtPercentile(100 * (1 - Math.pow(10, -x[i]))) / 1e6;
      }
      series.add(new LineChart.Series(column.name(), style(column), x, y, false));
      // below a tenth of the median there are only events that came in one packet
      least = Math.min(least, Math.max(y[0], y[6] / 10));
      greatest = Math.max(greatest, y[60]);
    }
    if (series.isEmpty()) {
      return "<p>nothing measured</p>";
    }
    var levels = Axis.of("percentile", false, LEVELS);
    var millis = Axis.factors("ms", Math.max(least, 1e-2), greatest);
    return new LineChart(WIDTH, HEIGHT, name + " by percentile", levels, millis, series).svg();
  }

  /** A P99 against the users of the closed loop, with the limit they are served under. */
  String users(String name, Function<LoadResult, Histogram> histogram, double limit) {
    var series = new ArrayList<LineChart.Series>();
    double least = limit;
    double greatest = limit * 1.5; // room for the name of the limit
    var ticks = new ArrayList<Axis.Tick>();
    for (var column : contest.columns()) {
      var runs = column.of(Run.Kind.USERS);
      var x = runs.stream().mapToDouble(Run::users).toArray();
      var y = runs.stream().mapToDouble(run -> p99(histogram.apply(run.result()))).toArray();
      for (int i = 0; i < x.length; i++) {
        if (y[i] > 0) {
          least = Math.min(least, y[i]);
          greatest = Math.max(greatest, y[i]);
        }
      }
      series.add(new LineChart.Series(column.name(), style(column), x, y, true));
    }
    for (int users = 1; users <= 256; users *= 2) {
      ticks.add(new Axis.Tick(users, Integer.toString(users)));
    }
    var millis = Axis.factors("P99 " + name + " (ms)", Math.max(least, 0.1), greatest);
    return new LineChart(
            WIDTH, HEIGHT, name + " by users", Axis.of("users", true, ticks), millis, series)
        .limit(limit, String.format(Locale.ROOT, "limit %,.0f ms", limit))
        .svg();
  }

  /** A figure of each repetition, so that its spread can be seen. */
  String repetitions(String name, Run.Kind kind, ToDoubleFunction<LoadResult> value) {
    var series = new ArrayList<LineChart.Series>();
    double greatest = 0;
    int most = 1;
    for (var column : contest.columns()) {
      var runs = column.of(kind);
      var x = runs.stream().mapToDouble(Run::repetition).toArray();
      var y = runs.stream().mapToDouble(run -> value.applyAsDouble(run.result())).toArray();
      for (double figure : y) {
        greatest = Math.max(greatest, figure);
      }
      most = Math.max(most, x.length);
      series.add(new LineChart.Series(column.name(), style(column), x, y, true));
    }
    var ticks = new ArrayList<Axis.Tick>();
    ticks.add(new Axis.Tick(0.5, ""));
    for (int i = 1; i <= most; i++) {
      ticks.add(new Axis.Tick(i, Integer.toString(i)));
    }
    ticks.add(new Axis.Tick(most + 0.5, ""));
    var upward = Axis.fromZero(name, greatest);
    return new LineChart(
            WIDTH, HEIGHT, name + " of each run", Axis.of("run", false, ticks), upward, series)
        .svg();
  }

  /** How lengths are spread: tokens over the share of the calls. */
  String lengths() {
    var prompts = contest.calls().stream().mapToDouble(c -> c.prompt().length).sorted().toArray();
    var outputs =
        contest.calls().stream().mapToDouble(CompletionCall::outputTokens).sorted().toArray();
    var share = new double[prompts.length];
    for (int i = 0; i < share.length; i++) {
      share[i] = 100.0 * (i + 0.5) / share.length;
    }
    double longest = Math.max(prompts[prompts.length - 1], outputs[outputs.length - 1]);
    return new LineChart(
            WIDTH,
            HEIGHT,
            "lengths of the calls",
            Axis.fromZero("share of the calls (%)", 100),
            Axis.fromZero("tokens", longest),
            List.of(
                new LineChart.Series("prompt", "k0", share, prompts, false),
                new LineChart.Series("output", "k1", share, outputs, false)))
        .svg();
  }

  private static double p99(Histogram histogram) {
    return histogram.getTotalCount() == 0 ? Double.NaN : histogram.getValueAtPercentile(99) / 1e6;
  }
}
