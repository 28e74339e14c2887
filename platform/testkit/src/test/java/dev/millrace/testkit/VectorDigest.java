package dev.millrace.testkit;

import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.MatrixEmbedding;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.engine.device.Vector;
import dev.millrace.engine.device.cpu.VectorDevice;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Activation;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Norm;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** A digest of what the vector kernels give for a model of every operation and format. */
final class VectorDigest {
  private static final int WIDTH = 66;
  private static final int HEAD_DIM = 22;
  private static final int TOKENS = 50;

  private VectorDigest() {}

  /** Prints it. */
  public static void main(String[] args) {
    System.out.println(compute());
  }

  static String compute() {
    var random = new SplittableRandom(3);
    var table = MemoryMatrix.random(TOKENS, WIDTH, random);
    var matrices =
        EncodedMatrix.formats().stream()
            .map(format -> EncodedMatrix.random(WIDTH, WIDTH, format, random))
            .toList();
    var spec = new ModelSpec(WIDTH, WIDTH, 64, List.of(new KvLayer(1, HEAD_DIM, HEAD_DIM, 0)));
    try (var device = new VectorDevice(1);
        var model =
            device.load(
                new Everything(table, matrices), spec, new KvLayout(32, 4, KvDtype.BFLOAT16))) {
      var driver = new StepDriver(model, 32, 4, WIDTH);
      float[] out = driver.finish(driver.sequence(random.ints(TOKENS, 0, TOKENS).toArray()));
      return Integer.toHexString(Arrays.hashCode(out)) + " " + out[0];
    }
  }

  private record Everything(MemoryMatrix table, List<QuantizedMatrix> matrices) implements Model {
    @Override
    public Tensor hidden(Ops ops) {
      float[] weight = new float[WIDTH];
      Arrays.fill(weight, 1);
      var x = ops.embed(new MatrixEmbedding("table", table));
      for (var kind : Norm.Kind.values()) {
        x = ops.norm(x, new Norm(kind, new Vector(weight), new Vector(weight), 1e-6f, 0));
      }
      for (var matrix : matrices) {
        x = ops.add(x, MatrixLinear.withoutBias("m", List.of(matrix)).apply(x, ops));
      }
      for (var f : Activation.values()) {
        x = ops.add(x, ops.activate(f, x));
      }
      var kv = ops.split(x, HEAD_DIM, HEAD_DIM, HEAD_DIM);
      var attention = new Attention(HEAD_DIM, 0.2f, 0, 3, null);
      return ops.softCap(ops.attention(0, x, kv.get(0), kv.get(1), attention), 5);
    }

    @Override
    public Tensor logits(Tensor rows, Ops ops) {
      return rows;
    }
  }
}
