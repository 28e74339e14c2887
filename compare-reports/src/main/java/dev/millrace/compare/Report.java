package dev.millrace.compare;

import dev.millrace.loadtest.ResultFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;

/**
 * The report of one comparison: text for the terminal, and a folder with {@code report.html},
 * {@code summary.md}, {@code results.json}, {@code timeline.csv}, {@code machine.json}, {@code
 * command.txt} and the histograms of each run.
 */
final class Report {
  private final CompareSettings settings;
  private final Machine machine;
  private final Contest contest;
  private final Figures first;
  private final Figures details;
  private final List<String> verdict;
  private final List<String> definitions;

  Report(CompareSettings settings, Machine machine, Contest contest) {
    this.settings = settings;
    this.machine = machine;
    this.contest = contest;
    double bound = LockStepBound.of(contest.calls(), settings.maxNumSeqs());
    this.first = Figures.of(Metric.FIRST_TABLE, contest.columns(), bound);
    this.details =
        Figures.of(Metric.DETAILS, contest.columns(), bound).with(ServerLoad.rows(contest));
    this.verdict = Verdict.of(settings, contest).lines();
    this.definitions = Definitions.of(settings, contest);
  }

  void write() throws IOException {
    var folder = settings.out();
    var runs = Files.createDirectories(folder.resolve("runs"));
    for (var column : contest.columns()) {
      for (var run : column.runs()) {
        ResultFiles.write(runs, run.result());
      }
    }
    ResultsJson.write(folder, settings, machine, contest);
    Files.writeString(folder.resolve("timeline.csv"), TimelineCsv.text(contest));
    Files.writeString(folder.resolve("command.txt"), command() + "\n");
    Files.writeString(folder.resolve("summary.md"), markdown());
    Files.writeString(
        folder.resolve("report.html"),
        new HtmlReport(contest, first, details, verdict, definitions)
            .page(title(), machine.text(), command()));
  }

  private String title() {
    return String.join(" against ", contest.columns().stream().map(Column::name).toList())
        + ", "
        + LocalDate.now(ZoneId.systemDefault());
  }

  String text() {
    return "\n"
        + first.text()
        + "\n"
        + details.text()
        + "\n"
        + String.join("\n", all())
        + "\n\nmachine: "
        + machine.text()
        + "\nserver:  "
        + server()
        + "\ncommand: "
        + command()
        + "\nreport:  "
        + settings.out().resolve("report.html");
  }

  private String markdown() {
    return "# "
        + title()
        + "\n\n"
        + first.markdown()
        + "\n"
        + details.markdown()
        + "\n- "
        + String.join("\n- ", all())
        + "\n\nMachine: "
        + machine.text()
        + "\n\nServer: "
        + server()
        + "\n\n```\n"
        + command()
        + "\n```\n";
  }

  private String server() {
    return contest.names() + " on " + contest.device();
  }

  /** What speaks against the figures, then how they came about. */
  private List<String> all() {
    var all = new ArrayList<>(verdict);
    all.addAll(definitions);
    return all;
  }

  private String command() {
    var words = new ArrayList<>(List.of("./millrace", "compare"));
    words.addAll(settings.typed());
    return ShellWords.joined(words);
  }
}
