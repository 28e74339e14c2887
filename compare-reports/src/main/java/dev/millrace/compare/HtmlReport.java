package dev.millrace.compare;

import dev.millrace.loadtest.LoadResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/** The page for people: one file, no script, nothing fetched. */
final class HtmlReport {
  private final Contest contest;
  private final Figures first;
  private final Figures details;
  private final List<String> verdict;
  private final List<String> definitions;
  private final Charts charts;
  private final StringBuilder html = new StringBuilder();

  HtmlReport(
      Contest contest,
      Figures first,
      Figures details,
      List<String> verdict,
      List<String> definitions) {
    this.contest = contest;
    this.first = first;
    this.details = details;
    this.verdict = verdict;
    this.definitions = definitions;
    this.charts = new Charts(contest);
  }

  String page(String title, String machine, String command) throws IOException {
    add("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n");
    add("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    add("<meta name=\"color-scheme\" content=\"light dark\">\n");
    add("<title>" + Html.escape(title) + "</title>\n<style>\n" + style() + "</style>\n");
    add("<header><p class=\"kicker\">millrace compare</p>\n");
    add("<h1>" + Html.escape(title) + "</h1>\n");
    add("<p class=\"lead\">" + Html.escape(headline()) + "</p>\n<dl>");
    term("model", contest.names());
    term("device and kernels", contest.device());
    term("machine", machine);
    add("</dl></header>\n<main>\n");
    verdict();
    add("<section class=\"cards\">");
    Metric.FIRST_TABLE.forEach(this::card);
    add("</section>\n");
    section("The figures", "", table(first));
    latencies();
    users();
    overTime();
    section("Details", "", table(details));
    runs();
    definitions();
    section("Run it again", "", "<pre>" + Html.escape(command) + "</pre>");
    return html.append("</main>\n</html>\n").toString();
  }

  private static String style() throws IOException {
    try (var in = HtmlReport.class.getResourceAsStream("report.css")) {
      if (in == null) {
        throw new IllegalStateException("report.css is missing from the jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /** The result in one sentence, in the words of the ratios. */
  private String headline() {
    if (contest.columns().size() < 2) {
      return contest.baseline().name() + ", alone.";
    }
    var other = contest.columns().get(1);
    var baseline = contest.baseline();
    return String.format(
        Locale.ROOT,
        "%s makes %s times the tokens per second of %s; its mean TTFT is %s instead of %s ms, its"
            + " P99 latency %s instead of %s ms.",
        other.name(),
        Figures.format(Metric.FIRST_TABLE.getFirst().ratio(baseline, other).orElse(Double.NaN), 2),
        baseline.name(),
        median(1, other),
        median(1, baseline),
        median(2, other),
        median(2, baseline));
  }

  private static String median(int metric, Column column) {
    return Figures.format(Metric.FIRST_TABLE.get(metric).value().apply(column).median(), 1);
  }

  private void verdict() {
    if (verdict.isEmpty()) {
      add("<p class=\"verdict good\">No errors, no wrong answers, all runs valid.</p>\n");
    } else {
      add("<ul class=\"verdict bad\">");
      verdict.forEach(line -> add("<li>" + Html.escape(line) + "</li>"));
      add("</ul>\n");
    }
  }

  /** One metric as bars, the least and greatest run as a whisker. */
  private void card(Metric metric) {
    double greatest =
        contest.columns().stream()
            .mapToDouble(column -> metric.value().apply(column).greatest())
            .filter(Double::isFinite)
            .max()
            .orElse(1);
    add("<article><h3>" + Html.escape(metric.label()) + "</h3>");
    add("<p class=\"hint\">" + (metric.higherIsBetter() ? "more" : "less") + " is better</p>");
    for (var column : contest.columns()) {
      var spread = metric.value().apply(column);
      boolean there = Double.isFinite(spread.median());
      add(
          String.format(
              Locale.ROOT,
              "<div class=\"row\"><span>%s</span><b>%s</b></div><div class=\"track\">",
              Html.escape(column.name()),
              Figures.format(spread.median(), metric.decimals())));
      if (there) {
        double scale = greatest > 0 ? 100 / greatest : 0;
        add(
            String.format(
                Locale.ROOT,
                "<i class=\"%s\" style=\"width:%.1f%%\"></i><u style=\"left:%.1f%%;width:%.1f%%\"></u>",
                charts.style(column),
                spread.median() * scale,
                spread.least() * scale,
                (spread.greatest() - spread.least()) * scale));
      }
      add("</div>");
    }
    add("</article>");
  }

  private void latencies() {
    section(
        "Latencies",
        "Open loop, the same arrivals for all. Each further nine of the percentile is one step to"
            + " the right; up is slower.",
        legend()
            + "<div class=\"grid2\">"
            + figure("TTFT", charts.percentiles("TTFT", LoadResult::ttft))
            + figure("end to end", charts.percentiles("end to end", LoadResult::e2e))
            + figure("TPOT", charts.percentiles("TPOT", LoadResult::tpot))
            + figure("ITL", charts.percentiles("ITL", LoadResult::itl))
            + "</div>");
  }

  private void users() {
    if (contest.columns().stream().noneMatch(column -> column.usersServed().isPresent())) {
      return;
    }
    section(
        "Users served",
        "Closed loops of growing size; a column ends where a limit is passed or its time is up.",
        legend()
            + "<div class=\"grid2\">"
            + figure("P99 TTFT", charts.users("TTFT", LoadResult::ttft, Column.TTFT_LIMIT))
            + figure("P99 TPOT", charts.users("TPOT", LoadResult::tpot, Column.TPOT_LIMIT))
            + "</div>");
  }

  private void overTime() {
    var time = new TimeCharts(contest, charts);
    section(
        "Server and client over time",
        "Looked at four times a second; shaded: the runs, in the colour of their column.",
        legend()
            + "<div class=\"stack\">"
            + figure("generated tokens per second", time.tokens())
            + figure(keys("running", "waiting") + " sequences", time.sequences())
            + figure(keys("used", "reserved") + " KV blocks", time.blocks())
            + figure(keys("server", "client") + " processors", time.processors())
            + figure(keys("server", "client") + " garbage collection", time.collectors())
            + figure("resident memory of the server", time.memory())
            + "</div>");
  }

  private void runs() {
    section(
        "Each run, and what was asked",
        "Repetitions take turns; where their dots lie apart, so does the machine's mood.",
        legend()
            + "<div class=\"grid2\">"
            + figure(
                "throughput runs",
                charts.repetitions(
                    "output tok/s", Run.Kind.THROUGHPUT, LoadResult::outputTokensPerSecond))
            + figure(
                "latency runs",
                charts.repetitions(
                    "mean TTFT (ms)", Run.Kind.LATENCY, r -> r.ttft().getMean() / 1e6))
            + figure(keys("prompt", "output") + " lengths", charts.lengths())
            + "</div>");
  }

  private void definitions() {
    var list = new StringBuilder("<ul class=\"text\">");
    definitions.forEach(line -> list.append("<li>").append(Html.escape(line)).append("</li>"));
    section("How the figures came about", "", list + "</ul>");
  }

  private String legend() {
    var legend = new StringBuilder("<p class=\"legend\">");
    for (var column : contest.columns()) {
      legend
          .append("<span class=\"")
          .append(charts.style(column))
          .append("\">")
          .append(Html.escape(column.name()))
          .append("</span>");
    }
    return legend + "</p>";
  }

  private static String keys(String first, String second) {
    return "<span class=\"key k0\">"
        + first
        + "</span>, <span class=\"key k1\">"
        + second
        + "</span>";
  }

  private static String figure(String caption, String chart) {
    return "<figure><figcaption>" + caption + "</figcaption>" + chart + "</figure>";
  }

  private static String table(Figures figures) {
    var table = new StringBuilder("<div class=\"wide\"><table><thead><tr>");
    figures.heads().forEach(head -> table.append("<th>").append(Html.escape(head)).append("</th>"));
    table.append("</tr></thead><tbody>");
    for (var row : figures.rows()) {
      table.append("<tr>");
      for (int i = 0; i < row.size(); i++) {
        String tag = i == 0 ? "th" : "td";
        String text =
            Html.escape(row.get(i)).replaceFirst("( \\(.* to .*\\))$", "<small>$1</small>");
        table.append('<').append(tag).append('>').append(text);
        table.append("</").append(tag).append('>');
      }
      table.append("</tr>");
    }
    return table.append("</tbody></table></div>").toString();
  }

  private void section(String title, String hint, String body) {
    add("<section><h2>" + title + "</h2>");
    if (!hint.isEmpty()) {
      add("<p class=\"hint\">" + hint + "</p>");
    }
    add(body + "</section>\n");
  }

  private void term(String name, String text) {
    add("<div><dt>" + name + "</dt><dd>" + Html.escape(text) + "</dd></div>");
  }

  private void add(String text) {
    html.append(text);
  }
}
