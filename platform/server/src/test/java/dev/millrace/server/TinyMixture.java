package dev.millrace.server;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.GoldenModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** A tiny mixture of experts that reads letters, and has one expert that it never chooses. */
final class TinyMixture {
  /** The expert that is never chosen. */
  static final String IDLE = "experts.3";

  private static final Path NUMERICS =
      Quantizing.ROOT.resolve("plugins/models/src/test/resources/numerics");

  private static final float LARGE = 16;

  private TinyMixture() {}

  /** Writes the model of that name, whose experts are tensors of their own. */
  static Path write(String name, Path folder) throws IOException {
    golden(name, folder).writeInOldSpelling(folder, DType.F32);
    change(folder.resolve("model.safetensors"));
    return folder;
  }

  /** Writes the same model, but with the experts of a layer together in two tensors. */
  static Path writeTogether(String name, Path folder) throws IOException {
    var golden = golden(name, folder);
    golden.write(folder, golden.config(), DType.F32);
    change(folder.resolve("model.safetensors"));
    return folder;
  }

  private static GoldenModel golden(String name, Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("tokenizer.json"), letters().toString());
    var golden = GoldenModel.read(NUMERICS, name);
    golden.config().put("num_experts_per_tok", 1);
    return golden;
  }

  /** Changes tensors of a file in place. */
  private static void change(Path file) throws IOException {
    var bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int length = Math.toIntExact(bytes.getLong(0));
    var header = new ObjectMapper().readTree(bytes.array(), Long.BYTES, length);
    for (var tensor : header.properties()) {
      String name = tensor.getKey();
      int start = Long.BYTES + length + tensor.getValue().at("/data_offsets/0").asInt();
      int end = Long.BYTES + length + tensor.getValue().at("/data_offsets/1").asInt();
      var shape = tensor.getValue().get("shape");
      int cols = shape.size() == 1 ? 1 : shape.get(shape.size() - 1).asInt();
      int rows = shape.get(Math.max(0, shape.size() - 2)).asInt();
      var numbers = bytes.slice(start, end - start).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
      for (int i = 0; i < numbers.limit(); i++) {
        int row = i / cols % rows;
        boolean opposite = name.endsWith(".gate.weight") && row == 1;
        float old = opposite ? -numbers.get(i - cols) : numbers.get(i);
        numbers.put(i, old * factor(name, row, rows, i % cols));
      }
    }
    Files.write(file, bytes.array());
  }

  /**
   * A router gives expert 1 the opposite of expert 0, of which one is above 0 then, and expert 3
   * always 0. Between the matrices of an expert some numbers are large, as in real models.
   */
  private static float factor(String name, int row, int rows, int col) {
    if (name.endsWith(".gate.weight")) {
      return row == 3 ? 0 : 1;
    }
    boolean up =
        name.endsWith(".gate_up_proj")
            ? row >= rows / 2
            : name.endsWith(".w3.weight") || name.endsWith(".up_proj.weight");
    if (up) {
      return row % 16 == 0 ? LARGE : 1;
    }
    boolean down =
        Stream.of(".w2.weight", ".down_proj.weight", ".down_proj").anyMatch(name::endsWith);
    return down && col % 16 == 0 ? 1 / LARGE : 1;
  }

  private static ObjectNode letters() {
    var json = new ObjectMapper().createObjectNode().put("version", "1.0");
    json.putArray("added_tokens");
    json.putNull("normalizer").putNull("post_processor");
    json.putNull("truncation").putNull("padding");
    json.putObject("pre_tokenizer")
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", false)
        .put("use_regex", false);
    json.putObject("decoder")
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", false)
        .put("use_regex", false);
    var model = json.putObject("model").put("type", "BPE");
    var vocabulary = model.putObject("vocab");
    "\u0120\u010a".chars().forEach(c -> vocabulary.put(Character.toString(c), vocabulary.size()));
    for (char c = '!'; c <= '~'; c++) {
      vocabulary.put(Character.toString(c), vocabulary.size());
    }
    model.putArray("merges");
    return json;
  }
}
