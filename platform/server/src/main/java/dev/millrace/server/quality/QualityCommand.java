package dev.millrace.server.quality;

import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.LoadFormat;
import dev.millrace.engine.load.ModelSettings;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.server.models.ModelFinder;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import io.dropwizard.core.cli.Command;
import io.dropwizard.core.setup.Bootstrap;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import net.sourceforge.argparse4j.inf.Namespace;
import net.sourceforge.argparse4j.inf.Subparser;
import org.jspecify.annotations.Nullable;

/** {@code quality}, which {@code compare --quality} calls: judges formats of one model. */
public final class QualityCommand extends Command {
  private static final Pattern AT_LOAD = Pattern.compile("(int8|int4|fp8)(?::(\\d{1,5}))?");

  private final PrintWriter out;
  private final Path home;
  private final Path root;
  private final ModelFinder finder;

  /**
   * The command.
   *
   * @param home the built distribution, with its plugins and its demo model
   * @param root the checkout, with the texts of the demo model
   */
  public QualityCommand(PrintWriter out, Path home, Path root, ModelFinder finder) {
    super("quality", "judge quantized forms of a model (compare --quality)");
    this.out = out;
    this.home = home;
    this.root = root;
    this.finder = finder;
  }

  @Override
  public void configure(Subparser subparser) {
    subparser
        .addArgument("format")
        .metavar("FORMAT")
        .nargs("*")
        .setDefault(List.of("int8", "int4", "fp8"))
        .help(
            "a quantized directory of the same model, or what is made of the baseline at load:"
                + " int8, int4, fp8, or int4:128 with that group size (all three)");
    subparser
        .addArgument("--model")
        .metavar("MODEL")
        .help("the baseline, not quantized (the demo model)");
    subparser
        .addArgument("--text")
        .metavar("FILE")
        .help("text that perplexity and KL are measured on (the demo model's held-out one)");
    subparser
        .addArgument("--tokens")
        .metavar("N")
        .type(Integer.class)
        .setDefault(32_768)
        .help("tokens of it, at most (32768)");
    subparser
        .addArgument("--window")
        .metavar("N")
        .type(Integer.class)
        .setDefault(0)
        .help(
            "read N tokens at a time and judge the second half of them, as llama-perplexity does"
                + " (texts end at blank lines, and all of them is judged)");
    subparser
        .addArgument("--questions")
        .metavar("FILE")
        .help("questions with facts, a JSON object a line (the demo model's, with that model)");
    subparser.addArgument("--cpu-kernels").metavar("NAME").setDefault("auto");
    subparser.addArgument("--quantized-activations").choices("none", "int8").setDefault("none");
    subparser.addArgument("--threads").metavar("N").type(Integer.class).setDefault(0);
    subparser
        .addArgument("--output")
        .metavar("DIR")
        .help("where the report is written; without it only the table is printed");
  }

  @Override
  public void run(@Nullable Bootstrap<?> bootstrap, Namespace namespace) throws Exception {
    var models = models(namespace);
    var questions = questions(namespace).map(Questions::read);
    String text = namespace.getString("text");
    var evaluation = root.resolve("platform/demo-model");
    try (var plugins = PluginCatalog.open(home.resolve("plugins"))) {
      var judge =
          new Judge(
              plugins,
              text == null ? evaluation.resolve("corpus/heldout.txt") : Path.of(text),
              namespace.getInt("tokens"),
              namespace.getInt("window"),
              questions,
              namespace.getString("cpu_kernels"),
              namespace.getString("quantized_activations"),
              namespace.getInt("threads"));
      var all = judge.judge(models, one -> out.printf(Locale.ROOT, "judged %s%n", one.name()));
      report(namespace, models, all, questions.map(Questions::count).orElse(0));
    }
  }

  private void report(Namespace namespace, List<ModelSettings> models, List<Judged> all, int asked)
      throws IOException {
    var names = models.stream().skip(1).map(ModelSettings::name).toList();
    var report =
        new QualityReport(all, asked, "./millrace compare --quality " + String.join(" ", names));
    out.println(report.table());
    String folder = namespace.getString("output");
    if (folder != null) {
      report.write(Path.of(folder));
      out.println("report: " + folder);
    }
  }

  private Optional<Path> questions(Namespace namespace) {
    String file = namespace.getString("questions");
    if (file != null) {
      return Optional.of(Path.of(file));
    }
    return namespace.getString("model") == null
        ? Optional.of(root.resolve("platform/demo-model/evaluation/questions.jsonl"))
        : Optional.empty();
  }

  private List<ModelSettings> models(Namespace namespace) {
    String model = namespace.getString("model");
    var baseline =
        model == null ? home.resolve("demo-model") : finder.find(model, LoadFormat.AUTO, _ -> {});
    var all = new ArrayList<ModelSettings>();
    all.add(model(model == null ? "demo-model" : ModelFinder.name(model), baseline, "", Map.of()));
    for (String format : namespace.<String>getList("format")) {
      var path = Path.of(format);
      if (Files.exists(path)) {
        all.add(
            model(path.toAbsolutePath().normalize().getFileName().toString(), path, "", Map.of()));
      } else {
        all.add(atLoad(format, baseline));
      }
    }
    return all;
  }

  /** What is made of the baseline: a format, and after a colon its group size. */
  private static ModelSettings atLoad(String format, Path baseline) {
    var parts = AT_LOAD.matcher(format);
    if (!parts.matches()) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          format + " is no directory, and not int8, int4 or fp8, perhaps with :GROUP_SIZE");
    }
    String group = parts.group(2);
    return model(
        format + " at load",
        baseline,
        parts.group(1),
        group == null ? Map.of() : Map.of("group_size", Integer.valueOf(group)));
  }

  private static ModelSettings model(
      String name, Path path, String quantization, Map<String, Object> settings) {
    return new ModelSettings(
        name, path, quantization, settings, DtypeChoice.AUTO, LoadFormat.AUTO, 0);
  }
}
