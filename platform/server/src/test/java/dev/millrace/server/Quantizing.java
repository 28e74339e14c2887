package dev.millrace.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.engine.quantize.QuantizeListener;
import dev.millrace.server.models.LoggedPull;
import dev.millrace.server.models.ModelFinder;
import dev.millrace.server.quality.QualityCommand;
import dev.millrace.server.quantize.QuantizeCommand;
import io.dropwizard.core.cli.Command;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import net.sourceforge.argparse4j.ArgumentParsers;

/** The commands {@code quantize} and {@code compare --quality} on a model. */
record Quantizing(Path model, Path folder) {
  static final Path ROOT = Path.of(System.getProperty("millrace.root"));
  static final Path DEMO = ROOT.resolve("platform/demo-model/model");
  static final Path TEXT = ROOT.resolve("platform/demo-model/corpus/heldout.txt");
  private static final Path HOME = Objects.requireNonNull(Path.of(TestServer.PLUGINS).getParent());

  /** Quantizes into a folder below this one; gives what the command says. */
  String quantize(String name, String... arguments) throws Exception {
    var all = new ArrayList<>(List.of(model.toString(), "--output", path(name).toString()));
    all.addAll(List.of(arguments));
    if (!all.contains("--group-size")) {
      all.addAll(List.of("--group-size", "16"));
    }
    var said = new StringWriter();
    run(new QuantizeCommand(new PrintWriter(said), QuantizeListener.NONE, HOME, finder()), all);
    return said.toString();
  }

  Path path(String name) {
    return folder.resolve(name);
  }

  /** The configuration of what was made. */
  JsonNode config(String name) throws Exception {
    return new ObjectMapper().readTree(path(name).resolve("config.json").toFile());
  }

  /** Results by name, that of the model itself under {@code baseline}. */
  Map<String, JsonNode> judge(List<String> forms) throws Exception {
    var arguments = new ArrayList<>(forms);
    String report = path("report").toString();
    arguments.addAll(List.of("--tokens", "3000", "--threads", "1", "--output", report));
    // no questions: another test asks them
    arguments.addAll(List.of("--model", model.toString(), "--text", TEXT.toString()));
    var command = new QualityCommand(new PrintWriter(new StringWriter()), HOME, ROOT, finder());
    run(command, arguments);
    var byName = new HashMap<String, JsonNode>();
    var results = new ObjectMapper().readTree(path("report/results.json").toFile());
    results.get("formats").forEach(row -> byName.put(row.get("name").asText(), row));
    byName.put("baseline", results.at("/formats/0"));
    return byName;
  }

  static double divergence(Map<String, JsonNode> judged, String name) {
    return Objects.requireNonNull(judged.get(name), name).get("kl_nats").asDouble();
  }

  private static ModelFinder finder() {
    return new ModelFinder(new LoggedPull());
  }

  private static void run(Command command, List<String> arguments) throws Exception {
    var parser = ArgumentParsers.newFor("test").build();
    var subparser = parser.addSubparsers().addParser("command");
    command.configure(subparser);
    var all = new ArrayList<>(List.of("command"));
    all.addAll(arguments);
    command.run(null, parser.parseArgs(all.toArray(String[]::new)));
  }
}
