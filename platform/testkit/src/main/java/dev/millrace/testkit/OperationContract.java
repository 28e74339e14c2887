package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.MatrixEmbedding;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.QuantizedMatrix;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;

/** How the operations of a device are checked against plain F64 arithmetic. */
abstract class OperationContract {
  /** Rows of activations. */
  static final int TOKENS = 23;

  final RandomGenerator random = new SplittableRandom(17);

  /** A fresh device; the contract closes it. */
  protected abstract Device create();

  /** Largest error of one operation whose results are about 1. */
  protected double tolerance() {
    return 2e-6;
  }

  /** The cache that operations are checked beside. */
  protected KvLayout layout(Device device, int blocks, int blockSize) {
    return new KvLayout(blocks, blockSize, device.kvDtypes().getFirst());
  }

  /** Runs a pass over rows of a random table, all at once and one by one. */
  final void check(
      int width, BiFunction<Tensor, Ops, Tensor> pass, UnaryOperator<double[]> expected) {
    check(width, pass, expected, tolerance());
  }

  final void check(
      int width,
      BiFunction<Tensor, Ops, Tensor> pass,
      UnaryOperator<double[]> expected,
      double tolerance) {
    var table = MemoryMatrix.random(TOKENS, width, random);
    for (int i = 0; i < table.values().length; i++) {
      table.values()[i] *= (float) Math.sqrt(width);
    }
    check(table, pass, expected, tolerance);
  }

  final void check(
      QuantizedMatrix table,
      BiFunction<Tensor, Ops, Tensor> pass,
      UnaryOperator<double[]> expected) {
    check(table, pass, expected, tolerance());
  }

  final void check(
      QuantizedMatrix table,
      BiFunction<Tensor, Ops, Tensor> pass,
      UnaryOperator<double[]> expected,
      double tolerance) {
    int outWidth = expected.apply(new double[table.cols()]).length;
    int blocks = 2 * table.rows();
    var spec = new ModelSpec(outWidth, outWidth, 64, List.of(new KvLayer(1, 1, 1, 0)));
    try (var device = create();
        var model = device.load(new Pass(table, pass), spec, layout(device, blocks, 2))) {
      var driver = new StepDriver(model, blocks, 2, outWidth);
      var chunks = new ArrayList<StepDriver.Chunk>();
      for (int token = 0; token < table.rows(); token++) {
        chunks.add(new StepDriver.Chunk(driver.sequence(token), 1));
      }
      float[][] together = driver.step(chunks);
      for (int token = 0; token < table.rows(); token++) {
        float[] row = new float[table.cols()];
        table.decodeRow(token, row);
        double[] want = expected.apply(OpsInDouble.widen(row));
        OpsInDouble.assertClose(want, together[token], tolerance);
        if (device.batchInvariant()) {
          float[] alone = driver.finish(driver.sequence(token));
          assertArrayEquals(together[token], alone, "token " + token + " depends on the batch");
        }
      }
      assertEquals(table.rows(), together.length);
    }
  }

  private record Pass(QuantizedMatrix table, BiFunction<Tensor, Ops, Tensor> pass)
      implements Model {
    @Override
    public Tensor hidden(Ops ops) {
      return pass.apply(ops.embed(new MatrixEmbedding("table", table)), ops);
    }

    @Override
    public Tensor logits(Tensor rows, Ops ops) {
      return rows;
    }
  }
}
