package dev.millrace.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;

/**
 * The rows of the comparison: each with its value in every column and, where there are two columns
 * or more, how many times better the last is than the first.
 */
record Figures(List<String> heads, List<Row> rows) {
  /** A row ready to print. */
  record Row(String label, List<String> cells) {}

  /** Which way is better. */
  private enum Better {
    HIGHER,
    LOWER
  }

  static Figures of(List<Column> columns, double lockStepBound) {
    var heads = new ArrayList<String>();
    heads.add("");
    columns.forEach(column -> heads.add(column.scheduler()));
    if (columns.size() > 1) {
      heads.add("ratio");
      heads.add("lock-step bound");
    }
    var throughput =
        row(
            "throughput (output tok/s)",
            columns,
            Better.HIGHER,
            column -> column.closed().outputTokensPerSecond());
    if (columns.size() > 1) {
      throughput.cells().add(format(lockStepBound, 2));
    }
    var rows =
        List.of(
            throughput,
            latency("mean TTFT (ms)", columns, c -> mean(c.open().ttft())),
            latency("P50 TTFT (ms)", columns, c -> percentile(c.open().ttft(), 50)),
            latency("P99 TTFT (ms)", columns, c -> percentile(c.open().ttft(), 99)),
            latency("P99 latency, end to end (ms)", columns, c -> percentile(c.open().e2e(), 99)),
            latency("P99 ITL (ms)", columns, c -> percentile(c.open().itl(), 99)),
            row("peak memory (MiB)", columns, Better.LOWER, Figures::mebibytes),
            errors(columns));
    return new Figures(List.copyOf(heads), rows);
  }

  private static Row latency(
      String label, List<Column> columns, ToDoubleFunction<Column> milliseconds) {
    return row(label, columns, Better.LOWER, milliseconds);
  }

  private static Row row(
      String label, List<Column> columns, Better better, ToDoubleFunction<Column> value) {
    var cells = new ArrayList<String>();
    for (var column : columns) {
      cells.add(format(value.applyAsDouble(column), 1));
    }
    if (columns.size() > 1) {
      double first = value.applyAsDouble(columns.getFirst());
      double last = value.applyAsDouble(columns.getLast());
      double ratio =
          switch (better) {
            case HIGHER -> last / first;
            case LOWER -> first / last;
          };
      cells.add(format(ratio, 2));
    }
    return new Row(label, cells);
  }

  private static Row errors(List<Column> columns) {
    return new Row("errors", columns.stream().map(c -> Long.toString(c.errors())).toList());
  }

  private static double mean(Histogram histogram) {
    return histogram.getTotalCount() == 0 ? Double.NaN : histogram.getMean() / 1e6;
  }

  private static double percentile(Histogram histogram, double level) {
    return histogram.getTotalCount() == 0
        ? Double.NaN
        : histogram.getValueAtPercentile(level) / 1e6;
  }

  private static double mebibytes(Column column) {
    var bytes = column.peakResidentBytes();
    return bytes.isPresent() ? bytes.getAsLong() / 1048576.0 : Double.NaN;
  }

  private static String format(double value, int decimals) {
    return Double.isFinite(value)
        ? String.format(Locale.ROOT, "%,." + decimals + "f", value)
        : "n/a";
  }

  /** Aligned columns for a terminal. */
  String text() {
    var widths = new int[heads.size()];
    for (int i = 0; i < widths.length; i++) {
      widths[i] = heads.get(i).length();
      for (var row : rows) {
        widths[i] = Math.max(widths[i], cell(row, i).length());
      }
    }
    var text = new StringBuilder();
    for (int line = -1; line < rows.size(); line++) {
      var printed = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        String cell = line < 0 ? heads.get(i) : cell(rows.get(line), i);
        String blank = " ".repeat(widths[i] - cell.length());
        printed.append(i == 0 ? cell + blank : "  " + blank + cell);
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
    for (var row : rows) {
      for (int i = 0; i < heads.size(); i++) {
        text.append("| ").append(cell(row, i)).append(' ');
      }
      text.append("|\n");
    }
    return text.toString();
  }

  private static String cell(Row row, int index) {
    return index == 0 ? row.label() : index <= row.cells().size() ? row.cells().get(index - 1) : "";
  }
}
