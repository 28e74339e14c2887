package dev.millrace.engine.load;

import static dev.millrace.engine.load.Faults.assertFails;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.load.RecordingTarget.BoundExperts;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.model.Part;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExpertWeightsTest {
  @TempDir Path directory;
  private final SafetensorsWriter file = new SafetensorsWriter();

  @Test
  void expertsInMatricesOfTheirOwnAreFoundByNumber() throws IOException {
    for (int i = 0; i < 2; i++) {
      file.add("m." + i + ".w1.weight", DType.F32, new float[6], 2, 3);
      file.add("m." + i + ".w3.weight", DType.F32, new float[6], 2, 3);
      file.add("m." + i + ".w2.weight", DType.F32, new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
    }
    var parts = List.of(new Part("w1", 2), new Part("w3", 2), new Part("w2", 3));
    try (var source = open()) {
      var weights = weights(source);
      var experts = (BoundExperts) weights.at("m").experts(2, parts, 3);
      assertEquals(2, experts.count());
      assertEquals(2, experts.gateUp().getFirst().size());
      assertArrayEquals(new float[] {3, 4}, row(experts.down().getLast(), 1));
      assertEquals(Set.of(), weights.unused());
      assertFails(
          ErrorCode.MISSING_TENSOR, () -> weights.at("m").experts(3, parts, 3), "m.2.w1.weight");
    }
  }

  @Test
  void expertsInOneTensorAreItsSlices() throws IOException {
    float[] values = new float[24];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    file.add("m.gate_up", DType.F32, values, 2, 4, 3);
    file.add("m.down", DType.F32, Arrays.copyOf(values, 12), 2, 3, 2);
    var parts = List.of(new Part("gate_up", 4), new Part("down", 3));
    try (var source = open()) {
      var weights = weights(source);
      var experts = (BoundExperts) weights.at("m").experts(2, parts, 3);
      assertArrayEquals(new float[] {21, 22, 23}, row(experts.gateUp().getLast().getFirst(), 3));
      assertArrayEquals(new float[] {6, 7}, row(experts.down().getLast(), 0));
      assertEquals(Set.of(), weights.unused());
      assertFails(
          ErrorCode.BAD_SHAPE,
          () -> weights.at("m").experts(3, parts, 3),
          "m.gate_up",
          "[2, 4, 3]");
      var others = List.of(new Part("gate_up", 4), new Part("out", 3));
      assertFails(ErrorCode.MISSING_TENSOR, () -> weights.at("m").experts(2, others, 3), "m.out");
    }
  }

  private static float[] row(QuantizedMatrix matrix, int row) {
    float[] out = new float[matrix.cols()];
    matrix.decodeRow(row, out);
    return out;
  }

  private HuggingFaceCheckpoint open() throws IOException {
    Files.writeString(directory.resolve("config.json"), "{}");
    file.write(directory.resolve("model.safetensors"));
    return HuggingFaceCheckpoint.open(directory);
  }

  private static CheckpointWeights weights(WeightSource source) {
    var plugins = List.<QuantizationPlugin>of(new PlainPlugin("plain", ""));
    return new CheckpointWeights(source, plugins, DtypeChoice.AUTO, new RecordingTarget());
  }
}
