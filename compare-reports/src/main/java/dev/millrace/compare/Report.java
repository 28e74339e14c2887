package dev.millrace.compare;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.loadtest.LoadResult;
import dev.millrace.loadtest.ResultFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The report of one comparison: text for the terminal, and a folder with {@code summary.md}, {@code
 * machine.json}, {@code command.txt} and each run's histograms.
 */
final class Report {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final CompareSettings settings;
  private final Machine machine;
  private final List<Column> columns;
  private final Figures figures;

  Report(CompareSettings settings, Machine machine, List<Column> columns) {
    this.settings = settings;
    this.machine = machine;
    this.columns = List.copyOf(columns);
    double bound = LockStepBound.of(columns.getFirst().calls(), settings.maxNumSeqs());
    this.figures = Figures.of(columns, bound);
  }

  void write() throws IOException {
    var folder = settings.out();
    for (var column : columns) {
      ResultFiles.write(folder, column.closed());
      ResultFiles.write(folder, column.open());
    }
    Files.writeString(
        folder.resolve("machine.json"),
        JSON.writerWithDefaultPrettyPrinter().writeValueAsString(machine) + "\n");
    Files.writeString(folder.resolve("command.txt"), command() + "\n");
    Files.writeString(folder.resolve("summary.md"), markdown());
  }

  String text() {
    return "\n"
        + figures.text()
        + "\n"
        + String.join("\n", notes())
        + "\n\nmachine: "
        + machine.text()
        + "\ncommand: "
        + command()
        + "\nreport:  "
        + settings.out();
  }

  private String markdown() {
    return "# "
        + String.join(" against ", settings.schedulers())
        + ", "
        + LocalDate.now(ZoneId.systemDefault())
        + "\n\n"
        + figures.markdown()
        + "\n- "
        + String.join("\n- ", notes())
        + "\n\nMachine: "
        + machine.text()
        + "\n\n```\n"
        + command()
        + "\n```\n";
  }

  /** How each figure came about, and what speaks against it. */
  private List<String> notes() {
    var notes = new ArrayList<String>();
    notes.add(
        "Throughput: closed loop, %d users, %d requests; tokens of complete answers per second."
            .formatted(settings.users(), settings.requests()));
    notes.add(
        String.format(
            Locale.ROOT,
            "Latencies: open loop, the same Poisson arrivals for each column at %.0f %% of the"
                + " capacity of %s (%.2f requests/s), counted from the scheduled time.",
            100 * Comparison.OPEN_LOOP_LOAD,
            settings.schedulers().getFirst(),
            Comparison.OPEN_LOOP_LOAD * columns.getFirst().closed().requestsPerSecond()));
    notes.add(
        "TTFT: to the first event with text. ITL: between events with text. End to end: to [DONE].");
    notes.add(
        "Lengths: %s, mean prompt %d and output %d tokens, cut to the model's context; seed %d."
            .formatted(
                settings.lengths().name().toLowerCase(Locale.ROOT),
                settings.promptTokens(),
                settings.outputTokens(),
                settings.seed()));
    notes.add("Memory: the server's peak resident set (VmHWM), mapped weights included.");
    if (columns.size() > 1) {
      notes.add(
          ("Ratio: %s over %s, turned so that more than 1 is better. Lock-step bound: longest over"
                  + " mean output of batches of %d in order: the gain over full batches in"
                  + " lock-step if a step took the same time however many rows it has, which few"
                  + " devices come near.")
              .formatted(
                  columns.getLast().scheduler(),
                  columns.getFirst().scheduler(),
                  settings.maxNumSeqs()));
    }
    for (var column : columns) {
      addErrors(notes, column.closed());
      addErrors(notes, column.open());
      addDoubt(notes, column.open());
    }
    return notes;
  }

  private static void addErrors(List<String> notes, LoadResult result) {
    result
        .failures()
        .forEach((kind, count) ->
            notes.add(
                "ERRORS in %s: %d x %s, for example: %s"
                    .formatted(result.name(), count, kind, result.samples().get(kind))));
  }

  /** A client that is late itself measures itself. */
  private static void addDoubt(List<String> notes, LoadResult result) {
    if (result.ttft().getTotalCount() > 0) {
      double lag = result.lag().getValueAtPercentile(99) / 1e6;
      double median = result.ttft().getValueAtPercentile(50) / 1e6;
      if (lag > median / 10) {
        notes.add(
            String.format(
                Locale.ROOT,
                "DOUBTFUL: in %s the load generator itself was late by %.2f ms (P99), over a tenth"
                    + " of the median TTFT, %.2f ms.",
                result.name(),
                lag,
                median));
      }
    }
  }

  private String command() {
    var words = new ArrayList<>(List.of("./millrace", "compare"));
    words.addAll(settings.typed());
    return String.join(" ", words.stream().map(Report::quoted).toList());
  }

  private static String quoted(String word) {
    return word.matches("[\\w./:=,+@%-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
