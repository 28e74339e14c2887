package dev.millrace.server.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.millrace.engine.EngineListener;
import dev.millrace.engine.HostSettings;
import dev.millrace.engine.InferenceHost;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.LoadFormat;
import dev.millrace.engine.load.ModelSettings;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.server.models.ModelFinder;
import io.dropwizard.core.cli.Command;
import io.dropwizard.core.setup.Bootstrap;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;

/** {@code bench}: prefill and decode rates of one model, as parts of the memory floor. */
public final class BenchCommand extends Command {
  private static final int[] STREAMS = {1, 8, 32};

  private final PrintWriter out;
  private final Path home;
  private final ModelFinder finder;

  /**
   * The command.
   *
   * @param home the built distribution, with its plugins and its demo model
   */
  public BenchCommand(PrintWriter out, Path home, ModelFinder finder) {
    super("bench", "measure prefill and decode on this machine");
    this.out = out;
    this.home = home;
    this.finder = finder;
  }

  @Override
  public void configure(Subparser subparser) {
    subparser
        .addArgument("--model")
        .metavar("MODEL")
        .help("model directory, GGUF file, or ORG/NAME of a hub (the demo model)");
    subparser.addArgument("--load-format").choices("auto", "dummy").setDefault("auto");
    subparser.addArgument("--quantization").metavar("NAME").setDefault("");
    subparser.addArgument("--dtype").metavar("TYPE").setDefault("auto");
    subparser.addArgument("--cpu-kernels").metavar("NAME").setDefault("auto");
    subparser.addArgument("--quantized-activations").choices("none", "int8").setDefault("none");
    subparser.addArgument("--threads").metavar("N").type(Integer.class).setDefault(0);
    subparser
        .addArgument("--prompt-tokens")
        .metavar("N")
        .type(Integer.class)
        .setDefault(128)
        .help("length of a prompt (128)");
    subparser
        .addArgument("--output-tokens")
        .metavar("N")
        .type(Integer.class)
        .setDefault(64)
        .help("length of an answer (64)");
    subparser
        .addArgument("--turns")
        .action(Arguments.storeTrue())
        .help("measure what lines of the input say, as bench cpu does to take turns with others");
  }

  @Override
  public void run(Bootstrap<?> bootstrap, Namespace namespace) throws Exception {
    int prompt = namespace.getInt("prompt_tokens");
    int output = namespace.getInt("output_tokens");
    int threads = namespace.getInt("threads");
    int counted = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    long start = System.nanoTime();
    try (var plugins = PluginCatalog.open(home.resolve("plugins"));
        var host = InferenceHost.open(settings(namespace, threads), plugins, EngineListener.NONE)) {
      if (namespace.getBoolean("turns")) {
        var in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        new Turns(host, counted, out).take(in, (System.nanoTime() - start) / 1e9);
      } else {
        table(host, counted, prompt, output);
      }
    }
  }

  private void table(InferenceHost host, int threads, int prompt, int output) throws Exception {
    double bandwidth = Bandwidth.measure(threads);
    long bytes = host.model().weightBytes();
    out.printf(Locale.ROOT, "%s, %,d bytes of weights%n", host.deviceName(), bytes);
    out.printf(
        Locale.ROOT,
        "memory read by %d threads: %.1f GB/s; a decode step reads all weights once,"
            + " so one stream gets at most %,.0f tok/s%n%n",
        threads,
        bandwidth / 1e9,
        bandwidth / bytes);
    var bench = new EngineBench(host.engine(), host.model().spec().vocabulary());
    for (int streams : STREAMS) {
      bench.decode(streams, prompt, output); // warms up
    }
    out.printf(Locale.ROOT, "%-26s %12s %16s%n", "", "tok/s", "of memory floor");
    row("prefill of " + prompt, bench.prefill(prompt), Double.NaN);
    for (int streams : STREAMS) {
      double rate = bench.decode(streams, prompt, output);
      String name = "decode, %d stream%s".formatted(streams, streams == 1 ? "" : "s");
      row(name, rate, rate / streams * bytes / bandwidth);
    }
    out.printf(Locale.ROOT, "%nmedians of 3; %d tokens in, %d out, greedy%n", prompt, output);
  }

  private void row(String name, double rate, double part) {
    String shown = Double.isNaN(part) ? "" : String.format(Locale.ROOT, "%.2f %%", 100 * part);
    out.printf(Locale.ROOT, "%-26s %,12.1f %16s%n", name, rate, shown);
  }

  private HostSettings settings(Namespace namespace, int threads) {
    String model = namespace.getString("model");
    var format = LoadFormat.valueOf(namespace.getString("load_format").toUpperCase(Locale.ROOT));
    return BenchHost.settings(
        new ModelSettings(
            model == null ? "demo-model" : ModelFinder.name(model),
            model == null ? home.resolve("demo-model") : finder.find(model, format, _ -> {}),
            namespace.getString("quantization"),
            Map.of(),
            DtypeChoice.of(namespace.getString("dtype")),
            format,
            0),
        namespace.getString("cpu_kernels"),
        namespace.getString("quantized_activations"),
        threads);
  }
}
