package dev.millrace.quantizers;

import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.MemoryCheckpoint;
import dev.millrace.testkit.QuantizationContract;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;

class QuantizersContractTest {
  /** Half a unit in the last place of numbers up to 1, and nothing for F32. */
  private static double rounding(DType dtype) {
    return switch (dtype) {
      case BF16 -> 0x1p-8;
      case F16 -> 0x1p-10;
      default -> 0;
    };
  }

  private static List<QuantizationContract.Sample> samples(
      int rows, int cols, float[] weights, double error) {
    return Stream.of(DType.F32, DType.BF16, DType.F16)
        .map(dtype ->
            new QuantizationContract.Sample(
                dtype.name(),
                new MemoryCheckpoint()
                    .floats(
                        "model.layers.0.mlp.up_proj.weight", dtype, List.of(rows, cols), weights),
                error + rounding(dtype)))
        .toList();
  }

  @Nested
  class None extends QuantizationContract {
    @Override
    protected QuantizationPlugin plugin() {
      return new NonePlugin();
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      return QuantizersContractTest.samples(rows, cols, weights, 0);
    }
  }

  @Nested
  class Int8 extends QuantizationContract {
    @Override
    protected QuantizationPlugin plugin() {
      return new Int8Plugin();
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      return QuantizersContractTest.samples(rows, cols, weights, 0.5005 / 127);
    }

    @Override
    protected boolean refusesNotANumber() {
      return true;
    }
  }

  @Nested
  class Int4 extends QuantizationContract {
    @Override
    protected QuantizationPlugin plugin() {
      return new Int4Plugin();
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      // a weight opposite to the largest may lie a whole step beyond the last code
      return QuantizersContractTest.samples(rows, cols, weights, 1.0 / 8);
    }

    @Override
    protected boolean refusesNotANumber() {
      return true;
    }
  }

  @Nested
  class Fp8AtLoad extends QuantizationContract {
    @Override
    protected QuantizationPlugin plugin() {
      return new Fp8Plugin();
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      return QuantizersContractTest.samples(rows, cols, weights, 1.0 / 28);
    }

    @Override
    protected boolean refusesNotANumber() {
      return true;
    }
  }

  @Nested
  class Gguf extends QuantizationContract {
    @Override
    protected QuantizationPlugin plugin() {
      return new GgufPlugin();
    }

    @Override
    protected List<Size> sizes() {
      return List.of(new Size(1, 256), new Size(5, 768), new Size(17, 512));
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      return List.of(
          sample(GgmlBlock.Q8_0, rows, cols, weights, 0.006),
          // a scale of small weights is a subnormal F16: up to 4 % off
          sample(GgmlBlock.Q6_K, rows, cols, weights, 0.06),
          sample(GgmlBlock.Q4_0, rows, cols, weights, 0.08),
          sample(GgmlBlock.Q4_K, rows, cols, weights, 0.1));
    }

    private static Sample sample(
        GgmlBlock type, int rows, int cols, float[] weights, double error) {
      var checkpoint = new BlockEncoder(type).checkpoint(MATRIX, rows, cols, weights);
      return new Sample(type.name(), checkpoint, error);
    }
  }

  /** Integers with zeros and scales; zero rows have scales of 0. */
  abstract static class Integers extends QuantizationContract {
    @Override
    protected List<Size> sizes() {
      return List.of(new Size(32, 32), new Size(64, 256), new Size(32, 160));
    }

    @Override
    protected boolean refusesNotANumber() {
      return true;
    }
  }

  @Nested
  class Gptq extends Integers {
    @Override
    protected QuantizationPlugin plugin() {
      return new GptqPlugin();
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      return List.of(
          sample(4, 32, true, false, rows, cols, weights, 0.08),
          sample(4, 32, false, true, rows, cols, weights, 0.08),
          sample(8, 16, false, true, rows, cols, weights, 0.006),
          sample(3, 16, true, false, rows, cols, weights, 0.2),
          sample(2, 16, false, true, rows, cols, weights, 0.5));
    }

    private static Sample sample(
        int bits,
        int group,
        boolean symmetric,
        boolean actOrder,
        int rows,
        int cols,
        float[] weights,
        double error) {
      int[] index =
          actOrder ? IntegerSample.scattered(cols, group) : IntegerSample.inOrder(cols, group);
      var checkpoint =
          IntegerSample.of(bits, rows, weights, index, symmetric)
              .gptq(MATRIX, actOrder, true, new MemoryCheckpoint())
              .quantization(
                  Map.of(
                      "bits", bits,
                      "group_size", group,
                      "desc_act", actOrder,
                      "sym", symmetric,
                      "checkpoint_format", actOrder ? "gptq_v2" : "gptq"));
      return new Sample("GPTQ of " + bits + " bits", checkpoint, error);
    }
  }

  @Nested
  class Awq extends Integers {
    @Override
    protected QuantizationPlugin plugin() {
      return new AwqPlugin();
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      var sample =
          IntegerSample.of(4, rows, weights, IntegerSample.inOrder(cols, 32), false)
              .awq(MATRIX, new MemoryCheckpoint())
              .quantization(Map.of("bits", 4, "group_size", 32));
      return List.of(new Sample("AWQ", sample, 0.08));
    }
  }

  @Nested
  class CompressedTensors extends Integers {
    @Override
    protected QuantizationPlugin plugin() {
      return new CompressedTensorsPlugin();
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      return List.of(
          packed(4, true, rows, cols, weights, 0.08),
          packed(4, false, rows, cols, weights, 0.08),
          packed(6, false, rows, cols, weights, 0.02),
          bytes(rows, cols, weights));
    }

    private static Sample packed(
        int bits, boolean symmetric, int rows, int cols, float[] weights, double error) {
      int[] index = IntegerSample.inOrder(cols, 32);
      var layout =
          new CompressedSample(IntegerSample.of(bits, rows, weights, index, symmetric), symmetric);
      var checkpoint =
          layout
              .packed(MATRIX, symmetric, new MemoryCheckpoint())
              .quantization(CompressedSample.config("pack-quantized", layout.weights()));
      return new Sample(bits + " bits, packed", checkpoint, error);
    }

    private static Sample bytes(int rows, int cols, float[] weights) {
      int[] index = IntegerSample.inOrder(cols, cols);
      var layout = new CompressedSample(IntegerSample.of(8, rows, weights, index, true), true);
      var checkpoint =
          layout
              .bytes(MATRIX, new MemoryCheckpoint())
              .quantization(CompressedSample.config("int-quantized", layout.weights()));
      return new Sample("bytes", checkpoint, 0.006);
    }
  }

  @Nested
  class Fp8 extends QuantizationContract {
    /** A single scale may have any shape, so there is no matrix of one row. */
    @Override
    protected List<Size> sizes() {
      return List.of(new Size(3, 31), new Size(5, 64), new Size(17, 33), new Size(64, 257));
    }

    @Override
    protected QuantizationPlugin plugin() {
      return new Fp8Plugin();
    }

    @Override
    protected boolean refusesNotANumber() {
      return true;
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      var sample = Fp8Sample.of(rows, cols, weights, 1, cols);
      return List.of(
          new Sample(
              "FP8",
              sample.write(MATRIX, "weight_scale", List.of(rows, 1), new MemoryCheckpoint()),
              0.04));
    }
  }

  @Nested
  class BitsAndBytes extends QuantizationContract {
    @Override
    protected QuantizationPlugin plugin() {
      return new BitsAndBytesPlugin();
    }

    @Override
    protected boolean refusesNotANumber() {
      return true;
    }

    @Override
    protected List<Size> sizes() {
      return List.of(new Size(1, 64), new Size(5, 128), new Size(3, 192));
    }

    @Override
    protected List<Sample> samples(int rows, int cols, float[] weights) {
      var sample = TableSample.of(rows, cols, weights);
      return List.of(new Sample("NF4", sample.write(MATRIX, new MemoryCheckpoint()), 0.16));
    }
  }
}
