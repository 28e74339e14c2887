package dev.millrace.cuda;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.testkit.PlainMatrices;
import dev.millrace.testkit.StepDriver;
import dev.millrace.testkit.StepDriver.Chunk;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import jcuda.driver.JCudaDriver;

/**
 * How long steps take with random weights: prompts in steps of a few thousand rows, then decoding
 * at several batch sizes, tokens drawn on the card. Beside each time, the least that the bytes of
 * weights and cache take at the bandwidth of copies, or the operations at the card's rate. The
 * shape is Llama-3.1-8B's; on the simulation, a toy's.
 */
record StepBench(ArrayNode json, Consumer<String> say) {
  private static final boolean REAL = !SuitePart.simulated();
  private static final int STEPS = REAL ? 24 : 4;
  private static final int WARM = REAL ? 4 : 1;
  private static final int CONTEXT = REAL ? 1024 : 8;
  private static final int ROWS_PER_STEP = REAL ? 2048 : 16;

  /** Whether a profiler is shown one step of each batch size. */
  private static final boolean PROFILED = Boolean.getBoolean("millrace.profile");

  /** Bytes of a number of BF16, and of a code with its part of a scale. */
  private static final double BF16_BYTES = 2;

  private static final double CODE_BYTES = 0.5 + 4.0 / 128;

  void run() throws IOException {
    var shape = BenchShape.here();
    try (var weights = BenchModel.Weights.of(shape)) {
      run(shape, weights, new PlainMatrices(), BF16_BYTES, 1, 8, 32, 128, 256);
      run(shape, weights, new RandomCodes(shape.codeBytes()), CODE_BYTES, 1, 8, 32);
    }
  }

  private void run(
      BenchShape shape,
      BenchModel.Weights weights,
      QuantizationPlugin quantizer,
      double bytes,
      int... sizes) {
    int[] batches = REAL ? sizes : new int[] {1, 2};
    int blocks = batches[batches.length - 1] * (2 * CONTEXT / BenchModel.BLOCK_SIZE + 8);
    try (var model = new BenchModel(weights, quantizer, blocks, ROWS_PER_STEP, say)) {
      var driver =
          new StepDriver(model.loaded(), blocks, BenchModel.BLOCK_SIZE, shape.vocabulary());
      var sequences = new ArrayList<Sequence>();
      for (int batch : batches) {
        prefill(shape, driver, sequences, batch);
        decode(shape, bytes, driver, sequences);
      }
      busy(model, driver, sequences);
    }
  }

  /** How much of its time the card is at work while nothing but decoding goes on. */
  private void busy(BenchModel model, StepDriver driver, List<Sequence> sequences) {
    try (var busy = new BusyTime(sequences.size())) {
      model.mark(busy);
      var _ = next(sequences, new int[0]);
      driver.decode(sequences, BusyTime.STEPS);
      model.mark(StepMarks.NONE);
      say.accept(busy.note(json.addObject().put("batch", sequences.size())));
    }
  }

  /** Brings the number of sequences up to a batch. */
  private void prefill(BenchShape shape, StepDriver driver, List<Sequence> sequences, int batch) {
    var steps = new ArrayList<List<Chunk>>();
    int rows = ROWS_PER_STEP;
    while (sequences.size() < batch) {
      int[] prompt = new int[CONTEXT];
      int seed = sequences.size();
      Arrays.setAll(prompt, at -> (at * 7 + seed * 13 + 3) % 64);
      var sequence = driver.sequence(prompt);
      sequences.add(sequence);
      if (rows + CONTEXT > ROWS_PER_STEP) {
        steps.add(new ArrayList<>());
        rows = 0;
      }
      steps.getLast().add(new Chunk(sequence, CONTEXT));
      rows += CONTEXT;
    }
    double seconds = 0;
    int measured = 0;
    for (int i = 0; i < steps.size(); i++) {
      long start = System.nanoTime();
      var _ = driver.draw(steps.get(i));
      if (i > 0) { // the first one loads kernels
        seconds += BenchModel.since(start);
        measured += steps.get(i).size() * CONTEXT;
      }
    }
    if (measured > 0) {
      double rate = measured / seconds;
      double floor = ROWS_PER_STEP / shape.floor(BF16_BYTES, ROWS_PER_STEP, 0);
      json.addObject().put("prefill of", CONTEXT).put("tok/s", rate).put("of floor", rate / floor);
      say.accept(
          "prefill of %d in steps of %d: %.0f tok/s, %.0f %% of the floor"
              .formatted(CONTEXT, ROWS_PER_STEP, rate, 100 * rate / floor));
    }
  }

  /** A token more of each sequence: those last drawn, or any. */
  private static List<Chunk> next(List<Sequence> sequences, int[] tokens) {
    for (int i = 0; i < sequences.size(); i++) {
      sequences.get(i).append(tokens.length > i ? tokens[i] : 1);
    }
    return sequences.stream().map(sequence -> new Chunk(sequence, 1)).toList();
  }

  private void decode(BenchShape shape, double bytes, StepDriver driver, List<Sequence> sequences) {
    double[] seconds = new double[STEPS];
    int[] tokens = {};
    for (int step = -WARM; step < STEPS; step++) {
      var chunks = next(sequences, tokens);
      long start = System.nanoTime();
      tokens = driver.draw(chunks);
      if (step >= 0) {
        seconds[step] = BenchModel.since(start);
      }
    }
    if (PROFILED) {
      JCudaDriver.cuProfilerStart();
      var _ = driver.draw(next(sequences, tokens));
      JCudaDriver.cuProfilerStop();
    }
    Arrays.sort(seconds);
    double median = seconds[STEPS / 2];
    double cached = sequences.stream().mapToLong(Sequence::total).sum();
    double floor = shape.floor(bytes, sequences.size(), cached);
    json.addObject()
        .put("bytes a weight", bytes)
        .put("batch", sequences.size())
        .put("context", cached / sequences.size())
        .put("step s", median)
        .put("decode tok/s", sequences.size() / median)
        .put("of floor", floor / median);
    say.accept(
        "batch %d, context %.0f: step %.3f ms, decode %.0f tok/s, %.0f %% of the floor"
            .formatted(
                sequences.size(),
                cached / sequences.size(),
                median * 1e3,
                sequences.size() / median,
                100 * floor / median));
  }
}
