package dev.millrace.compare.cpu;

import dev.millrace.compare.Checkout;
import dev.millrace.compare.CompareException;
import dev.millrace.compare.ShellWords;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.TypeConversionException;

/** The command line of {@code millrace bench cpu}. */
@Command(
    name = "millrace bench cpu",
    sortOptions = false,
    description =
        "Measures speeds on this machine's CPU beside other programs on it, in turns, and beside"
            + " what its memory and its arithmetic allow; about ten minutes. Rows whose models are"
            + " not given are left out, and programs that are not given are not compared with.",
    footer = {
      "",
      "Exit status: 0 fine; 1 a row or all could not be measured; 2 wrong command line."
    })
public final class CpuBenchCommand implements Callable<Integer> {
  private final List<String> typed;
  private final PrintWriter out;
  private final PrintWriter told;

  @Option(
      names = "--large-q4",
      paramLabel = "FILE",
      description = "a model of about a billion weights, as a GGUF file in Q4_0")
  private @Nullable Path q4;

  @Option(names = "--large-bf16", paramLabel = "FILE", description = "the same in BF16")
  private @Nullable Path bf16;

  @Option(
      names = "--large-quantized",
      paramLabel = "FILES",
      split = ",",
      description = "the same in further formats, as GGUF files")
  private List<Path> quantized = new ArrayList<>();

  @Option(
      names = "--large-dir",
      paramLabel = "DIR",
      description = "the same as a directory of safetensors in BF16, for PyTorch")
  private @Nullable Path directory;

  @Option(
      names = "--small",
      paramLabel = "DIR",
      description = "a model of a tenth of that, to be served to many users")
  private @Nullable Path small;

  @Option(
      names = "--small-gguf",
      paramLabel = "FILE",
      description = "the same as a GGUF file in BF16, for llama-server")
  private @Nullable Path smallGguf;

  @Option(
      names = "--llama",
      paramLabel = "WORDS",
      description =
          "compare with llama.cpp: what stands before llama-bench, llama-server and so on; '' if"
              + " they are in the PATH")
  private @Nullable String llama;

  @Option(
      names = "--python",
      paramLabel = "CMD",
      description = "compare with PyTorch: a Python that has torch and transformers")
  private @Nullable String python;

  @Option(
      names = "--static-server",
      paramLabel = "CMD",
      description =
          "compare with a server of transformers: its command, with {model}, {port} and {batch}")
  private @Nullable String staticServer;

  @Option(
      names = "--peer-path",
      paramLabel = "HERE=THERE",
      description = "a folder, and what the other programs call it, if they run in a container")
  private String peerPath = "/=/";

  @Option(
      names = "--scratch",
      paramLabel = "DIR",
      description = "a folder that they can read and write (default: one in the report's)")
  private @Nullable Path scratch;

  @Option(
      names = "--also",
      paramLabel = "OPTIONS",
      description = "measure formats of fewer bits, and servers, also with these options of bench")
  private String also = "";

  @Option(
      names = "--rows",
      paramLabel = "NAMES",
      split = ",",
      converter = RowNames.class,
      description =
          "decode-q4, decode-bf16, batch-q4, prefill-bf16, prefill-quantized, quality,"
              + " http-fixed, http-chat, demo-http, demo-start, load, pauses (default: all but pauses)")
  private List<RowName> rows = new ArrayList<>(RowName.usual());

  @Option(
      names = "--turns",
      paramLabel = "N",
      description = "of each program in a row (default: ${DEFAULT-VALUE})")
  private int turns = 3;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "that each program computes with (default: one per core)")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--pause-seconds",
      paramLabel = "N",
      description = "of load in the row on pauses of the collector (default: ${DEFAULT-VALUE})")
  private int pauseSeconds = 300;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "folder for the report (default: target/bench-cpu/DATE-TIME)")
  private @Nullable Path folder;

  @Option(names = "--help", usageHelp = true, description = "print this text")
  boolean help; // read by picocli alone

  private CpuBenchCommand(List<String> typed, PrintWriter out, PrintWriter told) {
    this.typed = List.copyOf(typed);
    this.out = out;
    this.told = told;
  }

  /** Reads names as people write them: decode-q4. */
  static final class RowNames implements ITypeConverter<RowName> {
    @Override
    public RowName convert(String text) {
      return Arrays.stream(RowName.values())
          .filter(name -> name.toString().equals(text.toLowerCase(Locale.ROOT)))
          .findFirst()
          .orElseThrow(() ->
              new TypeConversionException(
                  "expected some of "
                      + Arrays.toString(RowName.values())
                      + ", not '"
                      + text
                      + "'"));
    }
  }

  /** Entry point. */
  public static void main(String[] arguments) {
    var out = new PrintWriter(System.out, true, System.out.charset());
    var errors = new PrintWriter(System.err, true, System.err.charset());
    System.exit(run(out, errors, arguments));
  }

  /** All but the exit, for tests. */
  static int run(PrintWriter out, PrintWriter errors, String... arguments) {
    return new CommandLine(new CpuBenchCommand(List.of(arguments), out, errors))
        .setOut(out)
        .setErr(errors)
        .setExecutionExceptionHandler(CpuBenchCommand::report)
        .execute(arguments);
  }

  private static int report(Exception failure, CommandLine command, ParseResult arguments)
      throws Exception {
    if (failure instanceof CompareException || failure instanceof IllegalArgumentException) {
      command.getErr().println("millrace bench cpu: " + failure.getMessage());
      return failure instanceof CompareException ? 1 : 2;
    }
    throw failure;
  }

  @Override
  public Integer call() throws IOException {
    var settings = settings();
    var text = Checkout.root().resolve("LICENSE"); // words that all programs cut alike
    var report = CpuBench.run(settings, text, told);
    out.println(report.text());
    out.println("report: " + settings.out().resolve("summary.md"));
    return report.missing().isEmpty() ? 0 : 1;
  }

  private CpuBenchSettings settings() throws IOException {
    var report = Checkout.reportFolder(folder, "bench-cpu");
    var paths = peerPath.indexOf('=');
    if (paths < 1) {
      throw new IllegalArgumentException("--peer-path needs HERE=THERE, not " + peerPath);
    }
    return new CpuBenchSettings(
        Checkout.root().resolve("millrace"),
        new Models(
            Optional.ofNullable(q4),
            Optional.ofNullable(bf16),
            Optional.ofNullable(directory),
            quantized,
            Optional.ofNullable(small),
            Optional.ofNullable(smallGguf)),
        new Peers(
            words(llama),
            words(python),
            words(staticServer),
            Path.of(peerPath.substring(0, paths)),
            Path.of(peerPath.substring(paths + 1))),
        rows,
        turns,
        threads,
        ShellWords.of(also),
        pauseSeconds,
        report,
        scratch != null ? scratch : report.resolve("scratch"),
        typed);
  }

  private static Optional<List<String>> words(@Nullable String line) {
    return Optional.ofNullable(line).map(ShellWords::of);
  }
}
