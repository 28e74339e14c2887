package dev.millrace.server.quantize;

import dev.millrace.engine.load.LoadFormat;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.engine.quantize.ModelQuantizer;
import dev.millrace.engine.quantize.QuantizeListener;
import dev.millrace.engine.quantize.QuantizeSettings;
import dev.millrace.engine.quantize.QuantizedFormat;
import dev.millrace.server.models.ModelFinder;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import io.dropwizard.core.cli.Command;
import io.dropwizard.core.setup.Bootstrap;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import net.sourceforge.argparse4j.impl.Arguments;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;
import org.jspecify.annotations.Nullable;

/** {@code quantize}: makes a quantized checkpoint of a model directory. */
public final class QuantizeCommand extends Command {
  private static final String FORMATS = "gptq, awq, int4, int8 or fp8";

  /** Experts that are named in a report. */
  private static final int NAMED = 8;

  private final PrintWriter out;
  private final QuantizeListener listener;
  private final Path home;
  private final ModelFinder finder;

  /**
   * The command.
   *
   * @param listener shows how far it has come
   * @param home the built distribution, with its plugins
   */
  public QuantizeCommand(
      PrintWriter out, QuantizeListener listener, Path home, ModelFinder finder) {
    super("quantize", "make a quantized checkpoint of a model");
    this.out = out;
    this.listener = listener;
    this.home = home;
    this.finder = finder;
  }

  @Override
  public void configure(Subparser subparser) {
    subparser
        .addArgument("model")
        .metavar("MODEL")
        .help("model directory in BF16, F16 or F32, or ORG/NAME of a hub");
    subparser.addArgument("--to").metavar("FORMAT").required(true).help(FORMATS);
    subparser
        .addArgument("--output")
        .metavar("DIR")
        .help("directory that is made (MODEL-FORMAT in this one)");
    subparser
        .addArgument("--calibration")
        .metavar("FILE")
        .help("text that is like what the model will read; gptq and awq need one");
    subparser
        .addArgument("--round-only")
        .action(Arguments.storeTrue())
        .help("gptq, awq: round to nearest, without a text");
    subparser
        .addArgument("--include")
        .metavar("MODULE")
        .action(Arguments.append())
        .help("quantize lm_head too, or (int4, int8, fp8) embed_tokens; may repeat");
    number(subparser, "--group-size", 128, "4 bits: input columns that share a scale (128)");
    number(subparser, "--samples", 64, "sequences of the text, at most (64)");
    number(subparser, "--sample-tokens", 512, "tokens of each (512)");
    subparser
        .addArgument("--damping")
        .metavar("PART")
        .type(Double.class)
        .setDefault(0.01)
        .help("gptq: part of the mean diagonal of the Hessian added to it (0.01)");
    subparser
        .addArgument("--no-act-order")
        .action(Arguments.storeTrue())
        .help("gptq: round columns in their order, not the important ones first");
    number(subparser, "--threads", 0, "threads that compute (one per core)");
  }

  private static void number(Subparser subparser, String flag, int byDefault, String help) {
    subparser.addArgument(flag).metavar("N").type(Integer.class).setDefault(byDefault).help(help);
  }

  @Override
  public void run(@Nullable Bootstrap<?> bootstrap, Namespace namespace) {
    String model = namespace.getString("model");
    var settings = settings(namespace, finder.find(model, LoadFormat.AUTO, _ -> {}));
    long began = System.nanoTime();
    try (var plugins = PluginCatalog.open(home.resolve("plugins"))) {
      var result = ModelQuantizer.run(settings, plugins, listener);
      out.printf(
          Locale.ROOT,
          "%s: %d matrices as %s in %.1f s; %,d bytes of weights became %,d%n",
          settings.target(),
          result.matrices(),
          settings.format().label(),
          (System.nanoTime() - began) / 1e9,
          result.before(),
          result.after());
      report(result.rounded());
    }
  }

  private void report(List<String> rounded) {
    if (!rounded.isEmpty()) {
      out.printf(
          "only rounded, as they saw too few tokens of the text: %d experts, among them %s%n",
          rounded.size(), rounded.stream().limit(NAMED).toList());
    }
  }

  private static QuantizeSettings settings(Namespace namespace, Path source) {
    var format = QuantizedFormat.of(namespace.getString("to"));
    String text = namespace.getString("calibration");
    boolean roundOnly = namespace.getBoolean("round_only");
    boolean calibratable = format == QuantizedFormat.GPTQ || format == QuantizedFormat.AWQ;
    if (calibratable && (text == null) != roundOnly) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          format.label()
              + " takes either --calibration FILE, a text to look at the model's activations with,"
              + " or --round-only");
    }
    String output = namespace.getString("output");
    int threads = namespace.getInt("threads");
    return new QuantizeSettings(
        source,
        Path.of(
            output == null
                ? ModelFinder.name(namespace.getString("model")) + "-" + format.label()
                : output),
        format,
        namespace.getInt("group_size"),
        Objects.requireNonNullElse(namespace.<List<String>>get("include"), List.of()),
        text == null ? null : Path.of(text),
        namespace.getInt("samples"),
        namespace.getInt("sample_tokens"),
        namespace.getDouble("damping"),
        !namespace.getBoolean("no_act_order"),
        threads == 0 ? Runtime.getRuntime().availableProcessors() : threads);
  }
}
