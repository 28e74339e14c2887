package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.MatrixEmbedding;
import dev.millrace.spi.model.KvLayer;
import dev.millrace.spi.model.Model;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.tensor.Attention;
import dev.millrace.spi.tensor.Ops;
import dev.millrace.spi.tensor.Rope;
import dev.millrace.spi.tensor.Tensor;
import dev.millrace.testkit.StepDriver.Chunk;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every device's paged attention must compute: against plain F64 attention over contiguous
 * keys, for head shapes, windows, caps and ropes, whole and in chunks, with sequences interleaved
 * over the blocks.
 */
public abstract class AttentionContract {
  private static final int TOKENS = 29;

  /** A fresh device; the contract closes it. */
  protected abstract Device create();

  /** Largest error of an output that is about 1. */
  protected double tolerance() {
    return 5e-6;
  }

  /** Positions of a long context: more than the device meets in one piece. */
  protected int longContext() {
    return 200;
  }

  /** One shape of attention. */
  public record Case(int heads, int kvHeads, Attention attention, int blockSize) {
    static Case of(
        int heads, int kvHeads, int headDim, int window, float cap, Rope rope, int blockSize) {
      float scale = (float) (1 / Math.sqrt(headDim));
      return new Case(heads, kvHeads, new Attention(headDim, scale, window, cap, rope), blockSize);
    }
  }

  static Stream<Case> cases() {
    var full = new Rope(new float[] {1, 0.3f}, 1, false);
    var part = new Rope(new float[] {0.7f, 0.1f, 0.01f}, 1.3f, false);
    var pairs = new Rope(new float[] {1, 0.5f, 0.25f, 0.125f}, 1, true);
    return Stream.of(
        Case.of(1, 1, 4, 0, 0, full, 16),
        Case.of(4, 2, 4, 0, 0, full, 1),
        Case.of(6, 2, 8, 0, 0, part, 3),
        Case.of(8, 1, 8, 0, 0, pairs, 16),
        Case.of(3, 3, 32, 5, 0, part, 4),
        Case.of(4, 4, 6, 1, 0, part, 5),
        Case.of(2, 1, 64, 0, 1.5f, part, 7),
        Case.of(5, 1, 20, 6, 0, part, 16),
        Case.of(7, 1, 72, 0, 0, part, 16));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equalsPlainAttentionWholeAndInChunks(Case shape) {
    var random = new SplittableRandom(3);
    int[][] prompts = {tokens(1, random), tokens(19, random), tokens(8, random)};
    try (var device = create()) {
      device
          .kvDtypes()
          .forEach(dtype -> equalsPlainAttention(device, shape, dtype, prompts, 64, 1, 2, 7));
    }
  }

  static Stream<Case> longCases() {
    var rope = new Rope(new float[] {0.5f, 0.125f, 0.0625f}, 1.3f, false); // angles exact in F32
    return Stream.of(Case.of(6, 2, 8, 0, 0, rope, 16), Case.of(3, 1, 20, 150, 0, rope, 4));
  }

  /** In some chunks, and in one of all positions but the last, which so is a row of its own. */
  @ParameterizedTest
  @MethodSource("longCases")
  void equalsPlainAttentionOverALongContext(Case shape) {
    var random = new SplittableRandom(4);
    int[][] alone = {tokens(longContext(), random)};
    int[][] both = {alone[0], tokens(longContext() * 2 / 3, random)};
    int whole = longContext() * 3 / 5;
    try (var device = create()) {
      for (var dtype : device.kvDtypes()) {
        equalsPlainAttention(device, shape, dtype, alone, whole, longContext() - 1);
        equalsPlainAttention(device, shape, dtype, both, whole, longContext() - 1);
      }
    }
  }

  private void equalsPlainAttention(
      Device device, Case shape, KvDtype dtype, int[][] prompts, int most, int... fewer) {
    var random = new SplittableRandom(5);
    int width = (shape.heads + 2 * shape.kvHeads) * shape.attention.headDim();
    var table = normal(width, random);
    int out = shape.heads * shape.attention.headDim();
    int headDim = shape.attention.headDim();
    var layer = new KvLayer(shape.kvHeads, headDim, headDim, shape.attention.window());
    var spec = new ModelSpec(out, out, 64, List.of(layer));
    int blocks = 0;
    for (int[] prompt : prompts) {
      blocks += 2 * Math.ceilDiv(prompt.length, shape.blockSize);
    }
    var layout = new KvLayout(blocks, shape.blockSize, dtype);
    try (var model = device.load(new Pass(table, shape), spec, layout)) {
      var driver = new StepDriver(model, blocks, shape.blockSize, out);
      float[][] whole = run(driver, prompts, most);
      for (int i = 0; i < prompts.length; i++) {
        OpsInDouble.assertClose(
            PlainAttention.last(table, prompts[i], shape, dtype), whole[i], tolerance());
      }
      for (int chunk : fewer) {
        float[][] chunked = run(driver, prompts, chunk);
        for (int i = 0; i < prompts.length; i++) {
          if (device.batchInvariant()) {
            assertArrayEquals(whole[i], chunked[i], "chunks of " + chunk + ", prompt " + i);
          } else {
            OpsInDouble.assertClose(OpsInDouble.widen(whole[i]), chunked[i], 2 * tolerance());
          }
        }
      }
    }
  }

  @Test
  void copiedBlocksHoldWhatTheirSourcesHeldWhenTheStepBegan() {
    var random = new SplittableRandom(9);
    var shape = cases().toList().get(2);
    int headDim = shape.attention.headDim();
    int out = shape.heads * headDim;
    var table = normal((shape.heads + 2 * shape.kvHeads) * headDim, random);
    var layer = new KvLayer(shape.kvHeads, headDim, headDim, 0);
    var spec = new ModelSpec(out, out, 64, List.of(layer, layer));
    int blocks = 300; // more than any device would keep together
    try (var device = create()) {
      for (var dtype : device.kvDtypes()) {
        var layout = new KvLayout(blocks, shape.blockSize, dtype);
        try (var model = device.load(new Pass(table, shape), spec, layout)) {
          var driver = new StepDriver(model, blocks, shape.blockSize, out);
          int[] prompt = tokens(10, random);
          var first = driver.sequence(prompt);
          var half = driver.step(List.of(new Chunk(first, 8)));
          assertEquals(0, half.length);
          var near = driver.fork(first, prompt[8], prompt[9]);
          driver.finish(driver.sequence(tokens(600, random))); // the next blocks are far away
          var far = driver.fork(near, prompt[8], prompt[9]);
          float[][] outputs =
              driver.step(List.of(new Chunk(first, 2), new Chunk(near, 2), new Chunk(far, 2)));
          assertArrayEquals(outputs[0], outputs[1]);
          assertArrayEquals(outputs[0], outputs[2]);
        }
      }
    }
  }

  /** The last output of each prompt, all of them running side by side in chunks. */
  private static float[][] run(StepDriver driver, int[][] prompts, int chunk) {
    var sequences = Stream.of(prompts).map(driver::sequence).toList();
    var outputs = new float[prompts.length][];
    while (sequences.stream().anyMatch(s -> s.pending() > 0)) {
      var chunks = new ArrayList<Chunk>();
      var ending = new ArrayList<Integer>();
      for (int i = 0; i < prompts.length; i++) {
        var sequence = sequences.get(i);
        if (sequence.pending() > 0) {
          int take = Math.min(chunk, sequence.pending());
          chunks.add(new Chunk(sequence, take));
          if (take == sequence.pending()) {
            ending.add(i);
          }
        }
      }
      float[][] step = driver.step(chunks);
      for (int i = 0; i < step.length; i++) {
        outputs[ending.get(i)] = step[i];
      }
    }
    sequences.forEach(driver::preempt);
    return outputs;
  }

  private static MemoryMatrix normal(int width, RandomGenerator random) {
    var table = MemoryMatrix.random(TOKENS, width, random);
    for (int i = 0; i < table.values().length; i++) {
      table.values()[i] *= (float) Math.sqrt(width);
    }
    return table;
  }

  private static int[] tokens(int count, RandomGenerator random) {
    return random.ints(count, 0, TOKENS).toArray();
  }

  private record Pass(MemoryMatrix table, Case shape) implements Model {
    @Override
    public Tensor hidden(Ops ops) {
      int headDim = shape.attention.headDim();
      int q = shape.heads * headDim;
      int kv = shape.kvHeads * headDim;
      var parts = ops.split(ops.embed(new MatrixEmbedding("table", table)), q, kv, kv);
      return ops.attention(0, parts.get(0), parts.get(1), parts.get(2), shape.attention);
    }

    @Override
    public Tensor logits(Tensor rows, Ops ops) {
      return rows;
    }
  }
}
