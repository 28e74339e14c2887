package dev.millrace.server.quality;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Tables of what was found, for people and for programs.
 *
 * @param all the baseline first
 * @param asked questions; 0: none
 */
record QualityReport(List<Judged> all, int asked, String command) {
  private static final String DEFINITIONS =
      """

      - **weights**: all matrices in memory, token table and head included, in MB of 10⁶ bytes.
      - **perplexity**: of a token of the text that is not the first of its part.
      - **KL**: mean Kullback-Leibler divergence of the next token's distribution from the \
      baseline's, in millinats (thousandths of a nat).
      - **top-1**: positions where both expect the same token most.
      - **answers**: right ones of all questions, greedy.
      - **prefill**, **decode**: tokens per second of one request of 128 tokens in, 64 out; medians \
      of three.
      """;

  QualityReport {
    all = List.copyOf(all);
  }

  /** A table in Markdown. */
  String table() {
    var text = new StringBuilder();
    row(
        text,
        "format",
        "weights",
        "of baseline",
        "perplexity",
        "KL",
        "top-1",
        "answers",
        "prefill",
        "decode");
    text.append("| --- |").append(" ---: |".repeat(8)).append('\n');
    for (var one : all) {
      row(
          text,
          one.name(),
          format("%.2f MB", one.bytes() / 1e6),
          format("%.3f", (double) one.bytes() / all.getFirst().bytes()),
          format("%.4f", one.text().perplexity()),
          format("%.3f", 1000 * one.text().divergence()),
          format("%.2f %%", 100 * one.text().agreement()),
          one.right() < 0 ? "" : one.right() + " of " + asked,
          format("%,.0f", one.prefill()),
          format("%,.0f", one.decode()));
    }
    return text.toString();
  }

  private static void row(StringBuilder text, String... cells) {
    text.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  private static String format(String format, double number) {
    return String.format(Locale.ROOT, format, number);
  }

  /**
   * Writes {@code summary.md}, {@code results.json}, {@code chart.svg} and {@code command.txt}.
   *
   * @param folder made if it is not there
   */
  void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("command.txt"), command + "\n");
    Files.writeString(folder.resolve("results.json"), json());
    Files.writeString(folder.resolve("chart.svg"), QualityChart.of(all));
    Files.writeString(
        folder.resolve("summary.md"),
        "# Formats of weights\n\n"
            + device()
            + "; "
            + all.getFirst().text().positions()
            + " positions of text.\n\n"
            + table()
            + DEFINITIONS
            + "\n![KL by size](chart.svg)\n\n"
            + kept());
  }

  private String device() {
    return all.getFirst().device() + " of " + System.getProperty("os.arch");
  }

  private String kept() {
    var lines = new ArrayList<String>();
    for (var one : all) {
      lines.add("- " + one.name() + ": " + one.formats());
    }
    return "What the matrices are kept in:\n\n" + String.join("\n", lines) + "\n";
  }

  private String json() throws IOException {
    var root = JsonNodeFactory.instance.objectNode();
    root.put("device", device()).put("command", command).put("questions", asked);
    var rows = root.putArray("formats");
    for (var one : all) {
      var row = rows.addObject().put("name", one.name()).put("bytes", one.bytes());
      row.put("perplexity", one.text().perplexity()).put("kl_nats", one.text().divergence());
      row.put("top1", one.text().agreement()).put("positions", one.text().positions());
      if (one.right() >= 0) {
        row.put("right", one.right());
      }
      row.put("prefill_tokens_per_second", one.prefill());
      row.put("decode_tokens_per_second", one.decode());
      row.putPOJO("kept", one.formats());
    }
    return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
  }
}
