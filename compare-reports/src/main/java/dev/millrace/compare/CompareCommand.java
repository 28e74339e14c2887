package dev.millrace.compare;

import dev.millrace.loadtest.LengthShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of {@code millrace compare}. */
@Command(
    name = "millrace compare",
    sortOptions = false,
    customSynopsis = "millrace compare [options] [-- options of serve]",
    description =
        "Starts the server once for each scheduler, drives it with the same requests, and prints"
            + " throughput, latencies and memory side by side.")
final class CompareCommand implements Callable<Integer> {
  private final List<String> typed;
  private final List<String> forServe;

  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--model", paramLabel = "DIR", description = "model folder, as for serve")
  private @Nullable Path model;

  @Option(
      names = "--schedulers",
      paramLabel = "NAMES",
      split = ",",
      description = "columns in order, the baseline first (default: static,continuous)")
  private List<String> schedulers = new ArrayList<>(List.of("static", "continuous"));

  @Option(
      names = "--max-num-seqs",
      paramLabel = "N",
      description = "sequences in a batch, as for serve (default: ${DEFAULT-VALUE})")
  private int maxNumSeqs = 8;

  @Option(
      names = "--users",
      paramLabel = "N",
      description = "users of the closed loop (default: 2 x max-num-seqs)")
  private int users;

  @Option(
      names = "--requests",
      paramLabel = "N",
      description = "requests of each measured run (default: 200; with --quick 48)")
  private int requests;

  @Option(
      names = "--lengths",
      paramLabel = "SHAPE",
      description = "uniform (all alike) or chat (spread as in real conversations; default: chat)")
  private LengthShape lengths = LengthShape.CHAT;

  @Option(
      names = "--prompt-tokens",
      paramLabel = "N",
      description = "mean prompt length (default: ${DEFAULT-VALUE})")
  private int promptTokens = 48;

  @Option(
      names = "--output-tokens",
      paramLabel = "N",
      description = "mean output length (default: ${DEFAULT-VALUE})")
  private int outputTokens = 32;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "of lengths, prompts and arrivals (default: ${DEFAULT-VALUE})")
  private long seed = 1;

  @Option(names = "--quick", description = "fewer requests: a first look, not a result")
  private boolean quick;

  @Option(
      names = "--request-timeout",
      paramLabel = "SECONDS",
      description = "time limit of one request (default: ${DEFAULT-VALUE})")
  private int requestTimeout = 120;

  @Option(
      names = "--start-timeout",
      paramLabel = "SECONDS",
      description = "time limit for the server to be ready (default: ${DEFAULT-VALUE})")
  private int startTimeout = 300;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "folder for the report, new or empty (default: target/compare/DATE-TIME)")
  private @Nullable Path out;

  @Option(names = "--help", usageHelp = true, description = "print this text")
  boolean help; // read by picocli alone

  @Option(names = "--launcher", hidden = true)
  private @Nullable Path launcher;

  CompareCommand(List<String> typed, List<String> forServe) {
    this.typed = List.copyOf(typed);
    this.forServe = List.copyOf(forServe);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    var settings = settings();
    Files.createDirectories(settings.out());
    var columns = new Comparison(settings, Progress.to(commandLine().getErr())).run();
    var report = new Report(settings, Machine.detect(), columns);
    report.write();
    commandLine().getOut().println(report.text());
    return columns.stream().anyMatch(column -> column.errors() > 0) ? 1 : 0;
  }

  private CompareSettings settings() throws IOException {
    int count = requests > 0 ? requests : quick ? 48 : 200;
    try {
      return new CompareSettings(
          launcher != null ? launcher : root().resolve("millrace"),
          model,
          schedulers,
          maxNumSeqs,
          users == 0 ? 2 * maxNumSeqs : users,
          count,
          lengths,
          promptTokens,
          outputTokens,
          seed,
          Duration.ofSeconds(requestTimeout),
          Duration.ofSeconds(startTimeout),
          out != null ? emptyFolder(out) : freshFolder(),
          forServe,
          typed);
    } catch (IllegalArgumentException e) {
      throw wrong(e.getMessage());
    }
  }

  private Path root() {
    String root = System.getProperty("millrace.root");
    if (root == null) {
      throw wrong("the launcher is not known; start this program as ./millrace compare");
    }
    return Path.of(root);
  }

  private Path freshFolder() {
    var now =
        LocalDateTime.now(ZoneId.systemDefault())
            .format(DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmmss"));
    return root().resolve("target").resolve("compare").resolve(now);
  }

  private Path emptyFolder(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (var entries = Files.newDirectoryStream(folder)) {
        if (entries.iterator().hasNext()) {
          throw wrong("--out " + folder + " is not empty; one report is not written over another");
        }
      }
    }
    return folder;
  }

  private ParameterException wrong(@Nullable String message) {
    return new ParameterException(commandLine(), message);
  }

  private CommandLine commandLine() {
    if (spec == null) {
      throw new IllegalStateException("picocli has not filled this command in");
    }
    return spec.commandLine();
  }
}
