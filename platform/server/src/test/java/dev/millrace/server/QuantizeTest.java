package dev.millrace.server;

import static dev.millrace.server.Quantizing.DEMO;
import static dev.millrace.server.Quantizing.TEXT;
import static dev.millrace.server.Quantizing.divergence;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models quantized in every way and judged: the whole path of both commands. */
@Timeout(300)
class QuantizeTest {
  @TempDir Path folder;

  /** The second half of the text; the model is judged by the first. */
  private String otherText() throws IOException {
    String all = Files.readString(TEXT);
    int middle = all.indexOf("\n\n", all.length() / 2);
    return Files.writeString(folder.resolve("calibration.txt"), all.substring(middle)).toString();
  }

  private String[] calibrated(String format, String... more) throws IOException {
    var first = Stream.of("--to", format, "--calibration", otherText(), "--sample-tokens", "256");
    return Stream.concat(first, Arrays.stream(more)).toArray(String[]::new);
  }

  @Test
  void calibratedFormsAreNearerToTheModelThanRoundedOnes() throws Exception {
    var demo = new Quantizing(DEMO, folder);
    var forms = new ArrayList<String>();
    forms.add(make(demo, "rounded-gptq", "--to", "gptq", "--round-only"));
    forms.add(make(demo, "gptq", calibrated("gptq")));
    forms.add(make(demo, "rounded-awq", "--to", "awq", "--round-only"));
    forms.add(make(demo, "awq", calibrated("awq")));
    for (String format : List.of("int4", "int8", "fp8")) {
      forms.add(make(demo, format, "--to", format));
    }
    forms.add("int8");
    var judged = demo.judge(forms);
    assertEquals(0, divergence(judged, "baseline"));
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

  /** The demo model's table and head are one, of which each gets its own. */
  @Test
  void headAndTableAreQuantizedWhereAskedFor() throws Exception {
    var demo = new Quantizing(DEMO, folder);
    String[] both = {"--include", "lm_head", "--include", "embed_tokens"};
    var forms = new ArrayList<String>();
    forms.add(make(demo, "fp8", "--to", "fp8", both[0], both[1], both[2], both[3]));
    forms.add(make(demo, "int8", "--to", "int8", both[0], both[1], both[2], both[3]));
    forms.add(make(demo, "int4", "--to", "int4", "--include", "model.embed_tokens"));
    forms.add(make(demo, "rounded-gptq", "--to", "gptq", "--round-only", both[0], both[1]));
    forms.add(make(demo, "gptq", calibrated("gptq", both[0], both[1])));
    forms.add(make(demo, "awq", calibrated("awq", both[0], both[1])));
    var judged = demo.judge(forms);
    assertTrue(divergence(judged, "int8") < 1e-3, judged.toString());
    assertTrue(divergence(judged, "fp8") < 10e-3, judged.toString());
    assertTrue(divergence(judged, "int4") < 30e-3, judged.toString());
    assertTrue(divergence(judged, "awq") < 30e-3, judged.toString());
    double rounded = divergence(judged, "rounded-gptq");
    assertTrue(divergence(judged, "gptq") < 0.7 * rounded, judged.toString());
    for (String form : List.of("fp8", "int8", "int4", "gptq", "awq")) {
      assertEquals(false, demo.config(form).get("tie_word_embeddings").asBoolean(true), form);
    }
    var int8 = demo.config("int8").get("quantization_config");
    assertEquals(0, int8.get("ignore").size(), int8::toString);
    assertEquals(
        "[\"Linear\",\"Embedding\"]", int8.at("/config_groups/group_0/targets").toString());
    assertEquals("[\"lm_head\"]", demo.config("int4").at("/quantization_config/ignore").toString());
    for (String form : List.of("gptq", "awq")) {
      assertTrue(demo.config(form).at("/quantization_config/lm_head").asBoolean(), form);
    }
  }

  /** One expert of each of three layers is never chosen; the others are. */
  @ParameterizedTest
  @ValueSource(strings = {"mixtral", "qwen3_moe"})
  void expertsAreCalibratedWithTheTokensTheySee(String family) throws Exception {
    var model = new Quantizing(TinyMixture.write(family, folder.resolve("model")), folder);
    var forms = new ArrayList<String>();
    String rounded = "only rounded, as they saw too few tokens of the text: 3 experts";
    for (String format : List.of("gptq", "awq")) {
      forms.add(make(model, "rounded-" + format, "--to", format, "--round-only"));
      String said = model.quantize(format, calibrated(format));
      assertTrue(said.contains(rounded) && said.contains(TinyMixture.IDLE), said);
      forms.add(model.path(format).toString());
    }
    var judged = model.judge(forms);
    double gptq = divergence(judged, "gptq") / divergence(judged, "rounded-gptq");
    double awq = divergence(judged, "awq") / divergence(judged, "rounded-awq");
    assertTrue(gptq < 0.7, judged.toString());
    assertTrue(awq < 0.9, judged.toString());
  }

  /** What is made of them is, to the bit, what is made of the same model with experts apart. */
  @ParameterizedTest
  @ValueSource(strings = {"mixtral", "qwen3_moe"})
  void expertsThatLieTogetherAreWrittenApart(String family) throws Exception {
    var apart = new Quantizing(TinyMixture.write(family, folder.resolve("apart")), folder);
    var model =
        new Quantizing(TinyMixture.writeTogether(family, folder.resolve("together")), folder);
    for (String format : List.of("int8", "fp8", "gptq", "awq")) {
      boolean calibrates = format.equals("gptq") || format.equals("awq");
      String[] arguments = calibrates ? calibrated(format) : new String[] {"--to", format};
      make(apart, "apart-" + format, arguments);
      make(model, format, arguments);
      assertEquals(
          -1,
          Files.mismatch(
              folder.resolve("apart-" + format + "/model.safetensors"),
              folder.resolve(format + "/model.safetensors")),
          format);
      assertEquals(
          apart.config("apart-" + format).get("quantization_config"),
          model.config(format).get("quantization_config"));
    }
    // with one expert of two that are alike, a small change may choose the other
    var judged = model.judge(List.of(model.path("int8").toString()));
    assertTrue(divergence(judged, "int8") < 0.03, judged.toString());
  }

  @Test
  void expertsThatDoNotLieTogetherAsTheyShouldAreRefusedByTheirName() throws Exception {
    var directory = TinyMixture.writeTogether("qwen3_moe", folder.resolve("model"));
    var config = Files.readString(directory.resolve("config.json"));
    var other = config.replace("\"moe_intermediate_size\":48", "\"moe_intermediate_size\":32");
    Files.writeString(directory.resolve("config.json"), other);
    var model = new Quantizing(directory, folder);
    var error = assertThrows(InferenceException.class, () -> model.quantize("new", "--to", "int8"));
    assertEquals(ErrorCode.BAD_SHAPE, error.code());
    String what = "model.layers.0.mlp.experts.gate_up_proj is [8, 96, 64]";
    assertTrue(error.toString().contains(what), error::toString);
    assertFalse(Files.exists(folder.resolve("new")));
  }

  private static String make(Quantizing model, String name, String... arguments) throws Exception {
    model.quantize(name, arguments);
    var config = model.config(name);
    assertTrue(config.at("/quantization_config/quant_method").isTextual(), config::toString);
    return model.path(name).toString();
  }

  @Test
  void whatCannotBeQuantizedIsRefusedAndLeavesNothing() throws Exception {
    String made = make(new Quantizing(DEMO, folder), "made", "--to", "int8");
    refused("made exists", "--to", "int8", "--output", made);
    refused("not whole groups of 128; groups of 16 fit all", "--to", "int4", "--group-size", "128");
    refused("group-size is 20", "--to", "int4", "--group-size", "20");
    refused("known: [int4", "--to", "int3");
    refused("either --calibration FILE", "--to", "gptq");
    refused("only rounds", "--to", "int8", "--calibration", TEXT.toString());
    refused(
        "gptq has no place for token tables such as model.embed_tokens",
        "--to",
        "gptq",
        "--round-only",
        "--include",
        "embed_tokens");
    refused(
        "include is head; the model has [model.embed_tokens, lm_head]",
        "--to",
        "int8",
        "--include",
        "head");
    var few = Files.writeString(folder.resolve("few.txt"), "hello");
    refused("at least 256", "--to", "awq", "--calibration", few.toString());
    refused("cannot be read", "--to", "awq", "--calibration", folder.resolve("no.txt").toString());
    var again = new Quantizing(Path.of(made), folder);
    var error =
        assertThrows(InferenceException.class, () -> again.quantize("again", "--to", "int4"));
    assertTrue(
        error.toString().contains("quantized already, as compressed-tensors"), error::toString);
    try (var left = Files.list(folder)) {
      assertEquals(
          List.of("few.txt", "made"),
          left.map(path -> path.getFileName().toString()).sorted().toList());
    }
  }

  private void refused(String what, String... arguments) {
    var demo = new Quantizing(DEMO, folder);
    var error = assertThrows(InferenceException.class, () -> demo.quantize("new", arguments), what);
    var codes = List.of(ErrorCode.INVALID_CONFIGURATION, ErrorCode.UNSUPPORTED_QUANTIZATION);
    assertTrue(codes.contains(error.code()), error::toString);
    assertTrue(error.toString().contains(what), error::toString);
  }
}
