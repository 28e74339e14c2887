package dev.millrace.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A table of metrics: a column for each contender, then how many times better each is than the
 * first, then the bound of lock-step batches where the metric has one.
 */
record Figures(List<String> heads, List<List<String>> rows) {
  static Figures of(List<Metric> metrics, List<Column> columns, double lockStepBound) {
    var heads = new ArrayList<String>();
    heads.add("");
    columns.forEach(column -> heads.add(column.name()));
    var baseline = columns.getFirst();
    var others = columns.subList(1, columns.size());
    others.forEach(column -> heads.add(column.name() + " : " + baseline.name()));
    if (!others.isEmpty()) {
      heads.add("lock-step bound");
    }
    var rows = new ArrayList<List<String>>();
    for (var metric : metrics) {
      var row = new ArrayList<String>();
      row.add(metric.label());
      columns.forEach(column -> row.add(cell(metric, column)));
      for (var column : others) {
        var ratio = metric.ratio(baseline, column);
        row.add(ratio.isPresent() ? format(ratio.getAsDouble(), 2) : "n/a");
      }
      if (!others.isEmpty()) {
        row.add(metric.bounded() ? format(lockStepBound, 2) : "none");
      }
      rows.add(row);
    }
    return new Figures(heads, List.copyOf(rows));
  }

  /** This table with further rows, which have cells for the contenders alone. */
  Figures with(List<List<String>> more) {
    var all = new ArrayList<>(rows);
    for (var row : more) {
      var padded = new ArrayList<>(row);
      while (padded.size() < heads.size()) {
        padded.add("");
      }
      all.add(padded);
    }
    return new Figures(heads, List.copyOf(all));
  }

  private static String cell(Metric metric, Column column) {
    var spread = metric.value().apply(column);
    String median = format(spread.median(), metric.decimals());
    if (metric.key().equals("users") && Double.isFinite(spread.median())) {
      return column.usersExhausted() ? median : median + " or more";
    }
    return spread.least() == spread.greatest() || !Double.isFinite(spread.median())
        ? median
        : "%s (%s to %s)"
            .formatted(
                median,
                format(spread.least(), metric.decimals()),
                format(spread.greatest(), metric.decimals()));
  }

  static String format(double value, int decimals) {
    return Double.isFinite(value)
        ? String.format(Locale.ROOT, "%,." + decimals + "f", value)
        : "n/a";
  }

  /** Aligned columns for a terminal. */
  String text() {
    var lines = new ArrayList<List<String>>();
    lines.add(heads);
    lines.addAll(rows);
    var widths = new int[heads.size()];
    for (var line : lines) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    var text = new StringBuilder();
    for (var line : lines) {
      var printed = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String blank = " ".repeat(widths[i] - line.get(i).length());
        printed.append(i == 0 ? line.get(i) + blank : "  " + blank + line.get(i));
      }
      text.append(printed.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  /** A Markdown table. */
  String markdown() {
    var text = new StringBuilder();
    text.append("| ").append(String.join(" | ", heads)).append(" |\n|---|");
    text.append("---:|".repeat(heads.size() - 1)).append('\n');
    rows.forEach(row -> text.append("| ").append(String.join(" | ", row)).append(" |\n"));
    return text.toString();
  }
}
