package dev.millrace.engine.load;

import static dev.millrace.engine.load.Faults.assertFails;
import static dev.millrace.engine.load.Faults.assertInvalid;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HuggingFaceCheckpointTest {
  private static final String INDEX = "model.safetensors.index.json";

  @TempDir Path directory;

  @BeforeEach
  void writeConfig() throws IOException {
    write("config.json", "{\"model_type\":\"llama\"}");
  }

  @Test
  void shardsGiveTheSameTensorsAsOneFile() throws IOException {
    tensor("a", 1).write(directory.resolve("one.safetensors"));
    tensor("b", 2)
        .add("c", DType.I8, new byte[] {3}, 1)
        .write(directory.resolve("two.safetensors"));
    index("\"a\":\"one.safetensors\",\"b\":\"two.safetensors\",\"c\":\"two.safetensors\"");
    Path other = Files.createDirectory(directory.resolve("whole"));
    Files.copy(directory.resolve("config.json"), other.resolve("config.json"));
    tensor("a", 1)
        .add("b", DType.I8, new byte[] {2}, 1)
        .add("c", DType.I8, new byte[] {3}, 1)
        .write(other.resolve("model.safetensors"));
    try (var sharded = HuggingFaceCheckpoint.open(directory);
        var whole = HuggingFaceCheckpoint.open(other)) {
      assertEquals(Set.of("a", "b", "c"), sharded.names());
      assertEquals(whole.names(), sharded.names());
      for (String name : whole.names()) {
        assertEquals(whole.tensor(name).shape(), sharded.tensor(name).shape());
        assertEquals(-1, whole.tensor(name).bytes().mismatch(sharded.tensor(name).bytes()));
      }
    }
  }

  @Test
  void anyOnlySafetensorsFileWillDo() throws IOException {
    tensor("a", 5).write(directory.resolve("weights.safetensors"));
    try (var checkpoint = HuggingFaceCheckpoint.open(directory)) {
      assertTrue(checkpoint.has("a"));
      assertFalse(checkpoint.has("b"));
      assertEquals(5, checkpoint.tensor("a").bytes().get(ValueLayout.JAVA_BYTE, 0));
      assertFails(
          ErrorCode.MISSING_TENSOR, () -> checkpoint.tensor("b"), "b ", directory.toString());
    }
  }

  @Test
  void theWholeModelIsFreedOnClose() throws IOException {
    tensor("a", 5).write(directory.resolve("model.safetensors"));
    CheckpointTensor tensor;
    try (var checkpoint = HuggingFaceCheckpoint.open(directory)) {
      tensor = checkpoint.tensor("a");
      assertEquals(0, checkpoint.allocate("x", 100).address() % 64);
    }
    assertThrows(IllegalStateException.class, () -> tensor.bytes().get(ValueLayout.JAVA_BYTE, 0));
  }

  @Test
  void quantizationIsTheConfigsBlock() throws IOException {
    tensor("a", 5).write(directory.resolve("model.safetensors"));
    try (var checkpoint = HuggingFaceCheckpoint.open(directory)) {
      assertFalse(checkpoint.quantization().has("bits"));
    }
    write("config.json", "{\"quantization_config\":{\"quant_method\":\"gptq\",\"bits\":4}}");
    try (var checkpoint = HuggingFaceCheckpoint.open(directory)) {
      assertEquals(4, checkpoint.quantization().integer("bits"));
      assertFails(
          ErrorCode.UNSUPPORTED_MODEL,
          () -> checkpoint.quantization().integer("group_size"),
          "quantization_config.group_size",
          "config.json");
    }
    write("config.json", "{\"compression_config\":{\"quant_method\":\"compressed-tensors\"}}");
    try (var checkpoint = HuggingFaceCheckpoint.open(directory)) {
      assertEquals("compressed-tensors", checkpoint.quantization().text("quant_method", ""));
    }
  }

  @Test
  void aDirectoryWithoutWeightsSaysWhatItHas() throws IOException {
    assertInvalid(this::open, "model.safetensors", "config.json");
    write("pytorch_model.bin", "x");
    assertInvalid(this::open, "pytorch_model.bin", "convert");
    tensor("a", 1).write(directory.resolve("x.safetensors"));
    tensor("b", 1).write(directory.resolve("y.safetensors"));
    assertInvalid(this::open, "x.safetensors", "y.safetensors", INDEX);
  }

  @Test
  void aMissingDirectoryOrConfigIsRefusedByName() throws IOException {
    Files.delete(directory.resolve("config.json"));
    assertInvalid(this::open, "config.json", "does not exist");
    Path nowhere = directory.resolve("nowhere");
    assertInvalid(() -> HuggingFaceCheckpoint.open(nowhere).close(), nowhere.toString());
  }

  @Test
  void everyShardMustExist() throws IOException {
    tensor("a", 1).write(directory.resolve("one.safetensors"));
    index("\"a\":\"one.safetensors\",\"b\":\"two.safetensors\",\"c\":\"three.safetensors\"");
    assertInvalid(this::open, INDEX, "two.safetensors", "three.safetensors");
  }

  @Test
  void indexAndShardsMustAgree() throws IOException {
    tensor("a", 1).write(directory.resolve("one.safetensors"));
    index("\"a\":\"one.safetensors\",\"b\":\"one.safetensors\"");
    assertInvalid(this::open, INDEX, " b ", "one.safetensors");
    tensor("b", 1).add("c", DType.I8, new byte[1], 1).write(directory.resolve("two.safetensors"));
    index("\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"");
    assertInvalid(this::open, INDEX, "does not mention c", "two.safetensors");
  }

  @Test
  void aTensorInTwoShardsIsRefused() throws IOException {
    tensor("a", 1).write(directory.resolve("one.safetensors"));
    tensor("b", 1).add("a", DType.I8, new byte[1], 1).write(directory.resolve("two.safetensors"));
    index("\"a\":\"one.safetensors\",\"b\":\"two.safetensors\"");
    assertInvalid(this::open, "two.safetensors", "a, which an earlier shard");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"../one.safetensors\"",
        "\"sub/../../one.safetensors\"",
        "\"..\"",
        "\"/etc/one.safetensors\"",
        "\"" + INDEX + "\"",
        "\"one\\u0000.safetensors\"",
        "\"\"",
        "7",
        "null",
        "[\"one.safetensors\"]"
      })
  void anIndexThatLeavesTheDirectoryOrNamesNoFileIsRefused(String name) throws IOException {
    tensor("a", 1).write(directory.resolve("one.safetensors"));
    index("\"a\":" + name);
    assertInvalid(this::open, INDEX, "puts a into");
  }

  @Test
  void anIndexMayUseSubdirectoriesAndLinks() throws IOException {
    Files.createDirectories(directory.resolve("blobs"));
    tensor("a", 9).write(directory.resolve("blobs/0123"));
    Files.createDirectories(directory.resolve("parts"));
    Files.createSymbolicLink(
        directory.resolve("parts/one.safetensors"), directory.resolve("blobs/0123"));
    index("\"a\":\"./parts/../parts/one.safetensors\"");
    try (var checkpoint = HuggingFaceCheckpoint.open(directory)) {
      assertEquals(9, checkpoint.tensor("a").bytes().get(ValueLayout.JAVA_BYTE, 0));
    }
  }

  @Test
  void aLinkToItselfIsRefused() throws IOException {
    Path link = directory.resolve("one.safetensors");
    Files.createSymbolicLink(link, link);
    index("\"a\":\"one.safetensors\"");
    assertInvalid(this::open, "one.safetensors");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{}",
        "{\"weight_map\":[]}",
        "{\"weight_map\":{}}",
        "{\"weight_map\":null}",
        "{\"weight_map\":{\"a\":\"o.safetensors\",\"a\":\"o.safetensors\"}}",
        "{\"weight_map\":",
        "\0"
      })
  void anIndexThatIsNoneIsRefusedByName(String text) throws IOException {
    write(INDEX, text);
    assertInvalid(this::open, INDEX);
  }

  private void open() {
    HuggingFaceCheckpoint.open(directory).close();
  }

  private void index(String map) throws IOException {
    write(INDEX, "{\"metadata\":{\"total_size\":3},\"weight_map\":{" + map + "}}");
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(directory.resolve(name), text);
  }

  private static SafetensorsWriter tensor(String name, int value) {
    return new SafetensorsWriter().add(name, DType.I8, new byte[] {(byte) value}, 1);
  }
}
