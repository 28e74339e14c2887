package dev.millrace.compare;

import dev.millrace.loadtest.ArrivalShape;
import dev.millrace.loadtest.LengthShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The command line of {@code millrace compare}. */
@Command(
    name = "millrace compare",
    sortOptions = false,
    customSynopsis = "millrace compare [options] [-- options of serve]",
    description =
        "Starts the server, switches its scheduler between runs of the same requests, and reports"
            + " throughput, latencies, memory and users served side by side.",
    footer = {
      "",
      "Exit status: 0 fine; 1 the comparison could not be made; 2 wrong command line; 3 requests"
          + " failed or answers were wrong; 4 a --require was not met; 5 the client was too late"
          + " for the figures to be valid."
    })
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
      names = "--peer",
      paramLabel = "NAME=URL",
      description = "one more column: any server of OpenAI's completions API, already running")
  private List<String> peers = new ArrayList<>();

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
      description = "requests of each measured run (default: as many as --time allows)")
  private int requests;

  @Option(
      names = "--repetitions",
      paramLabel = "N",
      description = "runs of each kind and contender (default: 3; with --quick 2)")
  private int repetitions;

  @Option(
      names = "--time",
      paramLabel = "SECONDS",
      description = "what all runs together should take (default: 270; with --quick 60)")
  private int seconds;

  @Option(
      names = "--check",
      paramLabel = "N",
      description = "calls also sent alone, for their right answers (default: ${DEFAULT-VALUE})")
  private int check = 8;

  @Option(
      names = "--most-users",
      paramLabel = "N",
      description = "last step of the users served; 0: none (default: ${DEFAULT-VALUE})")
  private int mostUsers = 256;

  @Option(
      names = "--lengths",
      paramLabel = "SHAPE",
      converter = LengthNames.class,
      description = "uniform, chat (as in real conversations) or heavy-tail (default: chat)")
  private LengthShape lengths = LengthShape.CHAT;

  @Option(
      names = "--arrivals",
      paramLabel = "SHAPE",
      description = "of the open loop: poisson, constant or burst (default: poisson)")
  private ArrivalShape arrivals = ArrivalShape.POISSON;

  @Option(
      names = "--prompt-tokens",
      paramLabel = "N",
      description = "mean prompt length (default: ${DEFAULT-VALUE})")
  private int promptTokens = 128;

  @Option(
      names = "--output-tokens",
      paramLabel = "N",
      description = "mean output length (default: ${DEFAULT-VALUE})")
  private int outputTokens = 64;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "of lengths, prompts and arrivals (default: ${DEFAULT-VALUE})")
  private long seed = 1;

  @Option(names = "--quick", description = "a first look in under 90 s, not a result")
  private boolean quick;

  @Option(
      names = "--require",
      paramLabel = "METRIC=RATIO",
      description =
          "fail if the last scheduler is less than RATIO times better than the first: throughput,"
              + " mean-ttft, p99-latency, memory, users")
  private Map<String, Double> required = new LinkedHashMap<>();

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

  /** Reads names as people write them: heavy-tail. */
  static final class LengthNames implements ITypeConverter<LengthShape> {
    @Override
    public LengthShape convert(String text) {
      for (var shape : LengthShape.values()) {
        if (shape.toString().equals(text.toLowerCase(Locale.ROOT))) {
          return shape;
        }
      }
      throw new TypeConversionException(
          "expected one of " + Arrays.toString(LengthShape.values()) + ", not '" + text + "'");
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    var scratch = Files.createTempDirectory("millrace-compare");
    try {
      var settings = settings(scratch);
      Files.createDirectories(settings.out());
      var contest = new Comparison(settings, Progress.to(commandLine().getErr())).run();
      var report = new Report(settings, Machine.detect(), contest);
      report.write();
      commandLine().getOut().println(report.text());
      return Verdict.of(settings, contest).exitCode();
    } finally {
      delete(scratch);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }

  private CompareSettings settings(Path scratch) throws IOException {
    try {
      var contenders = new ArrayList<Contender>();
      schedulers.forEach(name -> contenders.add(new Contender.Scheduler(name)));
      peers.forEach(peer -> contenders.add(Contender.Peer.parse(peer)));
      return new CompareSettings(
          launcher != null ? launcher : Checkout.root().resolve("millrace"),
          model,
          contenders,
          maxNumSeqs,
          users == 0 ? 2 * maxNumSeqs : users,
          requests,
          repetitions != 0 ? repetitions : quick ? 2 : 3,
          check,
          mostUsers,
          seconds != 0 ? seconds : quick ? 60 : 270,
          lengths,
          arrivals,
          promptTokens,
          outputTokens,
          seed,
          required,
          Duration.ofSeconds(requestTimeout),
          Duration.ofSeconds(startTimeout),
          Checkout.reportFolder(out, "compare"),
          scratch,
          forServe,
          typed);
    } catch (IllegalArgumentException e) {
      throw wrong(e.getMessage());
    }
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
