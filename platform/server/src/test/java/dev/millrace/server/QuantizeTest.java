package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.engine.quantize.QuantizeListener;
import dev.millrace.server.models.LoggedPull;
import dev.millrace.server.models.ModelFinder;
import dev.millrace.server.quality.QualityCommand;
import dev.millrace.server.quantize.QuantizeCommand;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import io.dropwizard.core.cli.Command;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import net.sourceforge.argparse4j.ArgumentParsers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo model, quantized in every way and judged: the whole path of both commands. */
@Timeout(300)
class QuantizeTest {
  private static final Path ROOT = Path.of(System.getProperty("millrace.root"));
  private static final Path DEMO = ROOT.resolve("platform/demo-model/model");
  private static final Path HOME = Objects.requireNonNull(Path.of(TestServer.PLUGINS).getParent());

  private static final Path TEXT = ROOT.resolve("platform/demo-model/corpus/heldout.txt");

  @TempDir Path folder;

  /** The second half of the text; the model is judged by the first. */
  private String otherText() throws IOException {
    String all = Files.readString(TEXT);
    int middle = all.indexOf("\n\n", all.length() / 2);
    return Files.writeString(folder.resolve("calibration.txt"), all.substring(middle)).toString();
  }

  @Test
  void calibratedFormsAreNearerToTheModelThanRoundedOnes() throws Exception {
    var forms = new ArrayList<String>();
    forms.add(quantize("rounded-gptq", "--to", "gptq", "--round-only"));
    forms.add(quantize("gptq", calibrated("gptq")));
    forms.add(quantize("rounded-awq", "--to", "awq", "--round-only"));
    forms.add(quantize("awq", calibrated("awq")));
    for (String format : List.of("int4", "int8", "fp8")) {
      forms.add(quantize(format, "--to", format));
    }
    forms.add("int8");
    var judged = judge(forms);
    assertEquals(0, divergence(judged, "demo-model"));
    double gptq = divergence(judged, "gptq");
    double awq = divergence(judged, "awq");
    assertTrue(gptq < 0.7 * divergence(judged, "rounded-gptq"), judged.toString());
    assertTrue(awq < 0.9 * divergence(judged, "rounded-awq"), judged.toString());
    assertTrue(divergence(judged, "int8") < 0.2e-3, judged.toString());
    assertTrue(divergence(judged, "fp8") < 2e-3, judged.toString());
    assertTrue(divergence(judged, "int4") < 10e-3, judged.toString());
    // made at load in another way, and the same to a hair
    assertEquals(
        divergence(judged, "int8"), divergence(judged, "int8 at load"), 0.1e-3, judged.toString());
    assertTrue(Files.readString(folder.resolve("report/summary.md")).contains("| gptq |"));
    assertTrue(Files.readString(folder.resolve("report/chart.svg")).endsWith("</svg>\n"));
  }

  private String[] calibrated(String format) throws IOException {
    return new String[] {"--to", format, "--calibration", otherText(), "--sample-tokens", "256"};
  }

  @Test
  void whatCannotBeQuantizedIsRefusedAndLeavesNothing() throws Exception {
    String made = quantize("made", "--to", "int8");
    refused("made exists", "--to", "int8", "--output", made);
    refused("not whole groups of 128; groups of 16 fit all", "--to", "int4", "--group-size", "128");
    refused("group-size is 20", "--to", "int4", "--group-size", "20");
    refused("known: [int4", "--to", "int3");
    refused("either --calibration FILE", "--to", "gptq");
    refused("only rounds", "--to", "int8", "--calibration", TEXT.toString());
    var few = Files.writeString(folder.resolve("few.txt"), "hello");
    refused("at least 256", "--to", "awq", "--calibration", few.toString());
    refused("cannot be read", "--to", "awq", "--calibration", folder.resolve("no.txt").toString());
    var error =
        assertThrows(
            InferenceException.class,
            () -> run(command(), made, "--to", "int4", "--output", folder + "/again"));
    assertTrue(
        error.toString().contains("quantized already, as compressed-tensors"), error::toString);
    try (var left = Files.list(folder)) {
      assertEquals(
          List.of("few.txt", "made"),
          left.map(path -> path.getFileName().toString()).sorted().toList());
    }
  }

  private void refused(String what, String... arguments) {
    var all =
        new ArrayList<>(List.of(DEMO.toString(), "--output", folder.resolve("new").toString()));
    all.addAll(List.of(arguments));
    if (!all.contains("--group-size")) {
      all.addAll(List.of("--group-size", "16"));
    }
    var error =
        assertThrows(
            InferenceException.class, () -> run(command(), all.toArray(String[]::new)), what);
    var codes = List.of(ErrorCode.INVALID_CONFIGURATION, ErrorCode.UNSUPPORTED_QUANTIZATION);
    assertTrue(codes.contains(error.code()), error::toString);
    assertTrue(error.toString().contains(what), error::toString);
  }

  private String quantize(String name, String... arguments) throws Exception {
    String target = folder.resolve(name).toString();
    var all = new ArrayList<>(List.of(DEMO.toString(), "--output", target, "--group-size", "16"));
    all.addAll(List.of(arguments));
    run(command(), all.toArray(String[]::new));
    var config = new ObjectMapper().readTree(Path.of(target, "config.json").toFile());
    assertTrue(config.at("/quantization_config/quant_method").isTextual(), config::toString);
    return target;
  }

  private static Command command() {
    return new QuantizeCommand(
        new PrintWriter(new StringWriter()), QuantizeListener.NONE, HOME, finder());
  }

  private static ModelFinder finder() {
    return new ModelFinder(new LoggedPull());
  }

  private Map<String, JsonNode> judge(List<String> forms) throws Exception {
    var arguments = new ArrayList<>(forms);
    String report = folder.resolve("report").toString();
    arguments.addAll(List.of("--tokens", "3000", "--threads", "1", "--output", report));
    // no questions: another test asks them
    arguments.addAll(List.of("--model", DEMO.toString(), "--cpu-kernels", "auto"));
    var command = new QualityCommand(new PrintWriter(new StringWriter()), HOME, ROOT, finder());
    run(command, arguments.toArray(String[]::new));
    var byName = new HashMap<String, JsonNode>();
    var results = new ObjectMapper().readTree(Path.of(report, "results.json").toFile());
    results.get("formats").forEach(row -> byName.put(row.get("name").asText(), row));
    byName.put("demo-model", results.at("/formats/0"));
    return byName;
  }

  private static double divergence(Map<String, JsonNode> judged, String name) {
    return Objects.requireNonNull(judged.get(name), name).get("kl_nats").asDouble();
  }

  private static void run(Command command, String... arguments) throws Exception {
    var parser = ArgumentParsers.newFor("test").build();
    var subparser = parser.addSubparsers().addParser("command");
    command.configure(subparser);
    var all = new ArrayList<>(List.of("command"));
    all.addAll(List.of(arguments));
    command.run(null, parser.parseArgs(all.toArray(String[]::new)));
  }
}
