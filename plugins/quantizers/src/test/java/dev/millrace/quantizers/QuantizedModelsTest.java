package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.cpu.ReferenceDevice;
import dev.millrace.engine.device.cpu.VectorDevice;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.HuggingFaceCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.testkit.NativeDevices;
import dev.millrace.testkit.StepDriver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.ServiceLoader;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Quantized checkpoints from their files to logits, against those that Hugging Face transformers
 * computes in F32 with what their weights stand for.
 */
class QuantizedModelsTest {
  private static final float TOLERANCE = 2e-5f;

  /** Where activations and weights in groups are rounded to BF16. */
  private static final float ROUNDED_TOLERANCE = 0.1f;

  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource(QuantizedKind.class)
  void logitsAreThoseOfTransformers(QuantizedKind kind) throws IOException {
    new QuantizedModel(kind).write(folder);
    float[][] expected = expected(kind);
    var config = JsonModelConfig.open(folder);
    var family = family(config.modelType());
    var spec = family.describe(config);
    for (var computer : computers()) {
      try (var device = computer.device();
          var source = HuggingFaceCheckpoint.open(folder)) {
        var readers =
            List.of(quantizer(source.quantization().text("quant_method", "")), new NonePlugin());
        var weights = new CheckpointWeights(source, readers, DtypeChoice.AUTO);
        var model = family.load(spec, config, weights);
        assertEquals(Set.of(), weights.unused());
        try (var loaded = device.load(model, spec, new KvLayout(16, 16, KvDtype.FLOAT32))) {
          var driver = new StepDriver(loaded, 16, 16, spec.vocabulary());
          var sequence = driver.sequence(QuantizedModel.PROMPT[0]);
          for (int i = 0; i < expected.length; i++) {
            assertArrayEquals(
                expected[i],
                driver.finish(sequence),
                computer.tolerance(),
                device.name() + ", " + i);
            if (i + 1 < expected.length) {
              sequence.append(QuantizedModel.PROMPT[i + 1]);
            }
          }
        }
      }
    }
  }

  private static float[][] expected(QuantizedKind kind) throws IOException {
    String name = "transformers-" + kind + ".f32";
    try (var in = QuantizedModelsTest.class.getResourceAsStream(name)) {
      byte[] bytes = Objects.requireNonNull(in, name).readAllBytes();
      var floats = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
      float[][] logits = new float[QuantizedModel.PROMPT.length][QuantizedModel.VOCABULARY];
      for (float[] row : logits) {
        floats.get(row);
      }
      assertEquals(0, floats.remaining());
      return logits;
    }
  }

  /**
   * A device.
   *
   * @param tolerance largest difference of a logit
   */
  private record Computer(Device device, float tolerance) {}

  private static List<Computer> computers() {
    var computers = new ArrayList<Computer>();
    computers.add(new Computer(new ReferenceDevice(2), TOLERANCE));
    computers.add(new Computer(new VectorDevice(2), TOLERANCE));
    for (var set : NativeDevices.sets()) {
      float tolerance = set.roundsActivations() ? ROUNDED_TOLERANCE : TOLERANCE;
      computers.add(new Computer(NativeDevices.open(set, 2), tolerance));
    }
    return computers;
  }

  private static ModelPlugin family(String modelType) {
    return ServiceLoader.load(ModelPlugin.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(plugin -> plugin.architectures().contains(modelType))
        .findFirst()
        .orElseThrow();
  }

  private static QuantizationPlugin quantizer(String method) {
    return ServiceLoader.load(QuantizationPlugin.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(plugin -> plugin.name().equals(method))
        .findFirst()
        .orElseThrow();
  }
}
