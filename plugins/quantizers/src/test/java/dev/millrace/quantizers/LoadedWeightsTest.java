package dev.millrace.quantizers;

import static java.util.stream.Collectors.toSet;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.device.MatrixEmbedding;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.DummyCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.model.Part;
import dev.millrace.spi.model.Split;
import dev.millrace.spi.quant.DeviceFormat;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Linear;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The plugins as the engine uses them: in order of preference, over a whole model. */
class LoadedWeightsTest {
  private static final DeviceFormat INT8 = new DeviceFormat.Int8(0);
  private static final DeviceFormat BF16 = new DeviceFormat.Bf16();

  @TempDir Path directory;
  private final Map<String, List<QuantizedMatrix>> bound = new HashMap<>();

  @Test
  void int8TakesTheLayersAndNoneTheRest() throws IOException {
    load(DtypeChoice.AUTO, new Int8Plugin(), new NonePlugin());
    assertEquals(List.of(INT8, INT8), formats("l.q+k"));
    assertEquals(List.of(INT8), formats("l.down"));
    assertEquals(List.of(BF16), formats("embed_tokens"));
    assertEquals(List.of(BF16), formats("lm_head"));
  }

  @Test
  void noneTakesAll() throws IOException {
    load(DtypeChoice.AUTO, new NonePlugin());
    assertEquals(
        Set.of(List.of(BF16, BF16), List.of(BF16)),
        bound.keySet().stream().map(this::formats).collect(toSet()));
  }

  @Test
  void theDtypeWidensWhatIsNotQuantized() throws IOException {
    load(DtypeChoice.FLOAT32, new Int8Plugin(), new NonePlugin());
    assertEquals(List.of(INT8), formats("l.down"));
    assertEquals(List.of(new DeviceFormat.F32()), formats("lm_head"));
  }

  private void load(DtypeChoice dtype, QuantizationPlugin... plugins) throws IOException {
    Files.writeString(directory.resolve("config.json"), "{\"model_type\":\"llama\"}");
    try (var dummy = new DummyCheckpoint(JsonModelConfig.open(directory), 3)) {
      var weights = new CheckpointWeights(dummy, List.of(plugins), dtype);
      var table = (MatrixEmbedding) weights.embedding("embed_tokens", 50, 24);
      bound.put(table.name(), List.of(table.table()));
      bind(weights.linear("lm_head", 50, 24, Split.COLUMN));
      var parts = List.of(new Part("q", 32), new Part("k", 16));
      bind(weights.at("l").merged(parts, 24, Split.COLUMN));
      bind(weights.at("l").linear("down", 24, 70, Split.ROW));
      assertEquals(Set.of(), weights.unused());
      bound.values().forEach(LoadedWeightsTest::assertLooksRandom);
    }
  }

  private static void assertLooksRandom(List<QuantizedMatrix> parts) {
    for (QuantizedMatrix matrix : parts) {
      double square = 0;
      float[] row = new float[matrix.cols()];
      for (int r = 0; r < matrix.rows(); r++) {
        matrix.decodeRow(r, row);
        for (float value : row) {
          square += (double) value * value;
        }
      }
      double deviation = Math.sqrt(square / matrix.rows() / matrix.cols());
      assertTrue(deviation > 0.015 && deviation < 0.025, () -> "deviation " + deviation);
    }
  }

  private void bind(Linear linear) {
    var matrix = (MatrixLinear) linear;
    bound.put(matrix.name(), matrix.parts());
  }

  private List<DeviceFormat> formats(String name) {
    return bound.getOrDefault(name, List.of()).stream().map(QuantizedMatrix::format).toList();
  }
}
