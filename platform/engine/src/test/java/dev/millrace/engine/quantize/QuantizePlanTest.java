package dev.millrace.engine.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.device.Program;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.HuggingFaceCheckpoint;
import dev.millrace.engine.load.SafetensorsWriter;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.model.Part;
import dev.millrace.spi.model.Split;
import dev.millrace.spi.model.Weights;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.DType;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Embedding;
import dev.millrace.spi.tensor.Experts;
import dev.millrace.spi.tensor.Linear;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Routing;
import dev.millrace.spi.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuantizePlanTest {
  private static final int WIDTH = 32;

  @TempDir Path directory;

  /** Embeds, and has two experts in tensors of which nobody says how to take them apart. */
  private record Mixture(Embedding table, Linear router, Experts experts) implements Model {
    static Mixture bind(Weights weights) {
      var parts = List.of(new Part("both", 2 * WIDTH), new Part("down", WIDTH));
      return new Mixture(
          weights.embedding("embed", WIDTH, WIDTH),
          weights.linear("router", 2, WIDTH, Split.NONE),
          weights.at("moe").experts(2, parts, WIDTH));
    }

    @Override
    public Tensor hidden(Ops ops) {
      var routing = new Routing(1, true, Activation.SILU);
      return ops.experts(ops.embed(table), router, experts, routing);
    }

    @Override
    public Tensor logits(Tensor rows, Ops ops) {
      return ops.scale(rows, 1);
    }
  }

  private record Floats(String name) implements QuantizationPlugin {
    @Override
    public boolean accepts(String matrix, Checkpoint checkpoint) {
      return checkpoint.has(matrix + ".weight");
    }

    @Override
    public QuantizedMatrix read(String matrix, Checkpoint checkpoint) {
      var tensor = checkpoint.tensor(matrix + ".weight");
      int rows = Math.toIntExact(tensor.shape().getFirst());
      return new FloatRows(rows, Math.toIntExact(tensor.shape().getLast()), tensor.bytes());
    }
  }

  @Test
  void expertsThatLieTogetherAreRefusedWhereTheyHaveNoNamesApart() throws IOException {
    Files.writeString(directory.resolve("config.json"), "{}");
    new SafetensorsWriter()
        .add("embed.weight", DType.F32, new float[WIDTH * WIDTH], WIDTH, WIDTH)
        .add("router.weight", DType.F32, new float[2 * WIDTH], 2, WIDTH)
        .add("moe.both", DType.F32, new float[4 * WIDTH * WIDTH], 2, 2 * WIDTH, WIDTH)
        .add("moe.down", DType.F32, new float[2 * WIDTH * WIDTH], 2, WIDTH, WIDTH)
        .write(directory.resolve("model.safetensors"));
    var settings =
        new QuantizeSettings(
            directory, directory, QuantizedFormat.INT8, 16, List.of(), null, 1, 2, 0.01, true, 1);
    var spec = new ModelSpec(WIDTH, WIDTH, 8, List.of(new KvLayer(1, 8, 8, 0)));
    try (var source = HuggingFaceCheckpoint.open(directory)) {
      var named = new NamedMatrices(new Floats("floats"));
      var model = Mixture.bind(new CheckpointWeights(source, List.of(named), DtypeChoice.AUTO));
      var body = Program.hidden(model, spec);
      var head = Program.head(model, spec);
      var error =
          assertThrows(
              InferenceException.class, () -> QuantizePlan.of(settings, body, head, named, source));
      assertEquals(ErrorCode.UNSUPPORTED_QUANTIZATION, error.code());
      String what = "moe.0.both.weight is not there by itself";
      assertTrue(error.toString().contains(what), error::toString);
    }
  }
}
