package dev.millrace.testkit;

import dev.millrace.engine.device.MatrixEmbedding;
import dev.millrace.engine.device.MatrixLinear;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Rope;
import dev.millrace.spi.tensor.Tensor;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One layer of attention between an embedding and a head, with random weights: fast, and touchy.
 */
final class ToyDecoder implements Model {
  static final int VOCABULARY = 512;
  private static final int WIDTH = 16;
  private static final Attention ATTENTION =
      new Attention(8, 0.35f, 0, 0, new Rope(new float[] {1, 0.3f, 0.1f, 0.03f}, 1, false));

  private final MatrixEmbedding table;
  private final MatrixLinear qkv;
  private final MatrixLinear head;

  ToyDecoder() {
    var random = new SplittableRandom(11);
    table = new MatrixEmbedding("table", MemoryMatrix.random(VOCABULARY, WIDTH, random));
    for (int i = 0; i < VOCABULARY * WIDTH; i++) {
      ((MemoryMatrix) table.table()).values()[i] *= 8;
    }
    qkv = MatrixLinear.withoutBias("qkv", List.of(MemoryMatrix.random(3 * WIDTH, WIDTH, random)));
    head =
        MatrixLinear.withoutBias("head", List.of(MemoryMatrix.random(VOCABULARY, WIDTH, random)));
  }

  static ModelSpec spec() {
    return new ModelSpec(WIDTH, VOCABULARY, 256, List.of(new KvLayer(2, 8, 8, 0)));
  }

  @Override
  public Tensor hidden(Ops ops) {
    var x = ops.embed(table);
    var parts = ops.split(qkv.apply(x, ops), WIDTH, WIDTH, WIDTH);
    return ops.add(x, ops.attention(0, parts.get(0), parts.get(1), parts.get(2), ATTENTION));
  }

  @Override
  public Tensor logits(Tensor rows, Ops ops) {
    return head.apply(rows, ops);
  }
}
