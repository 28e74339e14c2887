package dev.millrace.compare.cpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.compare.Machine;
import dev.millrace.compare.ShellWords;
import dev.millrace.compare.Spread;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What was measured, as text and as {@code summary.md}, {@code results.json}, {@code machine.json}
 * and {@code command.txt}.
 *
 * @param missing what was not measured, and why
 */
record CpuReport(
    CpuBenchSettings settings,
    Machine machine,
    MachineSpeed speed,
    List<Row> rows,
    List<String> missing) {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String DEFINITIONS =
      """

      - Programs of a row take turns (A B A B); a figure is the median of its turns, with the least \
      and the greatest in brackets. Only figures of one row belong together.
      - **ours : peer** is over 1 where ours is better, also where less is better.
      - **at best** is what the machine allows with the speeds in the second table, measured between \
      the turns of the row: weights and cache are read once a step, and every product is computed \
      once; both at full speed and at the same time: the median bandwidth of the row's turns, and \
      the greatest peak of all. Weights count with the file's own size, for \
      ours and for peers.
      - Bandwidth is that of reading in order; a core's peak is that of a loop that only multiplies.
      """;

  CpuReport {
    rows = List.copyOf(rows);
    missing = List.copyOf(missing);
  }

  /** For the terminal and, with a title, for the file. */
  String text() {
    var text = new StringBuilder(table());
    text.append('\n').append(speeds()).append(DEFINITIONS).append('\n');
    for (var row : rows) {
      for (String remark : row.remarks()) {
        text.append("- ").append(row.key()).append(": ").append(remark).append('\n');
      }
    }
    missing.forEach(line -> text.append("- Not measured: ").append(line).append('\n'));
    return text.append("\nMachine: ").append(machine.text()).append('\n').toString();
  }

  void write() throws IOException {
    Path folder = settings.out();
    Files.writeString(
        folder.resolve("summary.md"),
        "# CPU speed, %s\n\n%s\n```\n%s\n```\n"
            .formatted(LocalDate.now(ZoneId.systemDefault()), text(), command()));
    Files.writeString(folder.resolve("command.txt"), command() + "\n");
    write(folder.resolve("results.json"), results());
    write(folder.resolve("machine.json"), JSON.valueToTree(machine));
  }

  private String command() {
    var words = new ArrayList<>(List.of("./millrace", "bench", "cpu"));
    words.addAll(settings.typed());
    return ShellWords.joined(words);
  }

  private String table() {
    var text = new StringBuilder();
    cells(text, "", "", "ours", "peer", "ours : peer", "at best", "ours of it", "peer of it");
    text.append("| --- | --- |").append(" ---: |".repeat(6)).append('\n');
    for (var row : rows) {
      for (var own : row.ours()) {
        boolean first = own.equals(row.ours().getFirst());
        if (!first || row.peers().isEmpty()) {
          line(text, row, own, null);
        }
        if (first) {
          row.peers().forEach(peer -> line(text, row, own, peer));
        }
      }
    }
    return text.toString();
  }

  private static void line(StringBuilder text, Row row, Reading own, @Nullable Reading peer) {
    String best = Double.isFinite(row.best()) ? number(row.best()) : "";
    String mine = figure(own) + (own.who().equals("Millrace") ? "" : " (" + own.who() + ")");
    cells(
        text,
        row.title(),
        row.unit(),
        mine,
        peer == null ? "" : peer.who() + " " + figure(peer),
        peer == null ? "" : ratio(row, peer),
        best,
        share(row, own),
        peer == null ? "" : share(row, peer));
  }

  private static String ratio(Row row, Reading peer) {
    double ratio = row.ratio(peer);
    return Double.isFinite(ratio) ? format("%.2f", ratio) : "";
  }

  private static String share(Row row, Reading reading) {
    double share = row.share(reading);
    return Double.isFinite(share) ? format("%.0f %%", 100 * share) : "";
  }

  private static String figure(Reading reading) {
    var spread = reading.spread();
    return reading.values().size() == 1
        ? number(spread.median())
        : "%s (%s to %s)"
            .formatted(number(spread.median()), number(spread.least()), number(spread.greatest()));
  }

  private String speeds() {
    var text = new StringBuilder();
    cells(text, settings.threads() + " threads", "median", "least", "greatest");
    text.append("| --- |").append(" ---: |".repeat(3)).append('\n');
    speed(text, "reading memory, GB/s", speed.bandwidth(0));
    for (String numbers : speed.numbers()) {
      String what =
          "products of %s by %s, GOP/s"
              .formatted(numbers.toUpperCase(Locale.ROOT), speed.unit(numbers));
      speed(text, what, speed.peak(numbers));
    }
    return text.append("\nLooked at ").append(speed.looks()).append(" times.\n").toString();
  }

  private static void speed(StringBuilder text, String what, Spread spread) {
    cells(
        text,
        what,
        number(spread.median() / 1e9),
        number(spread.least() / 1e9),
        number(spread.greatest() / 1e9));
  }

  private static void cells(StringBuilder text, String... cells) {
    text.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  /** Three digits or more. */
  private static String number(double value) {
    double size = Math.abs(value);
    return format(size < 1 ? "%.3f" : size < 10 ? "%.2f" : size < 100 ? "%.1f" : "%,.0f", value);
  }

  private static String format(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private ObjectNode results() {
    var json = JSON.createObjectNode();
    json.put("threads", settings.threads());
    var speeds = json.putObject("machine");
    speeds.set("bytes_per_second", JSON.valueToTree(speed.bandwidth(0)));
    for (String numbers : speed.numbers()) {
      speeds
          .putObject("operations_per_second_" + numbers)
          .put("unit", speed.unit(numbers))
          .setAll((ObjectNode) JSON.valueToTree(speed.peak(numbers)));
    }
    var array = json.putArray("rows");
    for (var row : rows) {
      var one = array.addObject().put("key", row.key()).put("title", row.title());
      one.put("unit", row.unit()).put("more_is_better", row.more());
      if (Double.isFinite(row.best())) {
        one.put("at_best", row.best());
      }
      readings(one.putArray("ours"), row, row.ours());
      readings(one.putArray("peers"), row, row.peers());
      one.set("remarks", JSON.valueToTree(row.remarks()));
    }
    json.set("missing", JSON.valueToTree(missing));
    return json;
  }

  private static void readings(ArrayNode array, Row row, List<Reading> readings) {
    for (var reading : readings) {
      var one = array.addObject().put("who", reading.who());
      one.put("median", reading.spread().median()).set("turns", JSON.valueToTree(reading.values()));
      if (Double.isFinite(row.share(reading))) {
        one.put("share_of_best", row.share(reading));
      }
      if (row.peers().contains(reading) && Double.isFinite(row.ratio(reading))) {
        one.put("ratio", row.ratio(reading));
      }
    }
  }

  private static void write(Path file, JsonNode json) throws IOException {
    Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
  }
}
