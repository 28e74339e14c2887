package dev.millrace.cuda;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.DummyCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.models.LlamaPlugin;
import dev.millrace.testkit.PlainMatrices;
import dev.millrace.testkit.StepDriver;
import dev.millrace.testkit.StepDriver.Chunk;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * How long steps take with random weights: prompts in steps of a few thousand rows, then decoding
 * at several batch sizes, tokens drawn on the card. Beside each time, the least that the bytes of
 * weights and cache take at the bandwidth of copies, or the operations at the card's rate. The
 * shape is Llama-3.1-8B's; on the simulation, a toy's.
 */
record StepBench(ArrayNode json, Consumer<String> say) {
  private static final boolean REAL = !SuitePart.simulated();
  private static final int BLOCK_SIZE = 16;
  private static final int STEPS = REAL ? 24 : 4;
  private static final int WARM = REAL ? 4 : 1;
  private static final int CONTEXT = REAL ? 1024 : 8;
  /** As much as a server takes. */
  private static final int LOGITS_BYTES = 256 << 20;

  private static final int ROWS_PER_STEP = REAL ? 2048 : 16;

  /** Of an H200, measured: bytes per second read and written, BF16 operations per second. */
  private static final double BANDWIDTH = 4.3e12;

  private static final double RATE = 790e12;

  /** Sizes of a model. */
  private record Shape(
      int hidden, int inner, int layers, int heads, int kvHeads, int headDim, int vocabulary) {
    /** With fewer layers where a profiler is to look at one. */
    static final Shape LLAMA_8B =
        new Shape(4096, 14_336, Integer.getInteger("millrace.layers", 32), 32, 8, 128, 128_256);
    static final Shape TOY = new Shape(64, 96, 2, 2, 1, 64, 64);

    double weights() {
      double attention = 2.0 * hidden * headDim * (heads + kvHeads);
      return layers * (attention + 3.0 * hidden * inner) + (double) hidden * vocabulary;
    }

    double cacheBytesPerToken() {
      return 4.0 * layers * kvHeads * headDim;
    }

    /** Seconds that a step takes at least. */
    double floor(int rows, double cached) {
      double products = Math.max(2 * weights() / BANDWIDTH, 2 * rows * weights() / RATE);
      return products + cached * cacheBytesPerToken() / BANDWIDTH;
    }
  }

  void run() throws IOException {
    var shape = REAL ? Shape.LLAMA_8B : Shape.TOY;
    var folder = Files.createTempDirectory("gpu-suite");
    Files.writeString(folder.resolve("config.json"), config(shape).toString());
    var read = JsonModelConfig.open(folder);
    var plugin = new LlamaPlugin();
    var spec = plugin.describe(read);
    int[] batches = REAL ? new int[] {1, 8, 32, 128, 256} : new int[] {1, 2};
    int blocks = batches[batches.length - 1] * (2 * CONTEXT / BLOCK_SIZE + 8);
    long start = System.nanoTime();
    try (var source = new DummyCheckpoint(read, 1);
        Device device = SimulatedDriver.device(false, LOGITS_BYTES)) {
      var weights = new CheckpointWeights(source, List.of(new PlainMatrices()), DtypeChoice.AUTO);
      var model = plugin.load(spec, read, weights);
      say.accept("random weights: %.1f s".formatted(since(start)));
      start = System.nanoTime();
      try (var loaded =
          device.load(model, spec, new KvLayout(blocks, BLOCK_SIZE, KvDtype.BFLOAT16))) {
        say.accept("load: %.1f s".formatted(since(start)));
        start = System.nanoTime();
        loaded.reserve(ROWS_PER_STEP);
        say.accept("reserve: %.1f s".formatted(since(start)));
        var driver = new StepDriver(loaded, blocks, BLOCK_SIZE, spec.vocabulary());
        var sequences = new ArrayList<Sequence>();
        for (int batch : batches) {
          prefill(shape, driver, sequences, batch);
          decode(shape, driver, sequences);
        }
      }
    }
    Files.delete(folder.resolve("config.json"));
    Files.delete(folder);
  }

  private static double since(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  private static ObjectNode config(Shape shape) {
    var config = new ObjectMapper().createObjectNode();
    config.put("model_type", "llama").put("hidden_act", "silu").put("rms_norm_eps", 1e-5);
    config.put("hidden_size", shape.hidden).put("intermediate_size", shape.inner);
    config.put("num_hidden_layers", shape.layers).put("vocab_size", shape.vocabulary);
    config.put("num_attention_heads", shape.heads).put("num_key_value_heads", shape.kvHeads);
    config.put("head_dim", shape.headDim).put("max_position_embeddings", 4096);
    return config.put("tie_word_embeddings", false).put("rope_theta", 500_000);
  }

  /** Brings the number of sequences up to a batch. */
  private void prefill(Shape shape, StepDriver driver, List<Sequence> sequences, int batch) {
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
        seconds += since(start);
        measured += steps.get(i).size() * CONTEXT;
      }
    }
    if (measured > 0) {
      double rate = measured / seconds;
      double floor = ROWS_PER_STEP / shape.floor(ROWS_PER_STEP, 0);
      json.addObject().put("prefill of", CONTEXT).put("tok/s", rate).put("of floor", rate / floor);
      say.accept(
          "prefill of %d in steps of %d: %.0f tok/s, %.0f %% of the floor"
              .formatted(CONTEXT, ROWS_PER_STEP, rate, 100 * rate / floor));
    }
  }

  private void decode(Shape shape, StepDriver driver, List<Sequence> sequences) {
    double[] seconds = new double[STEPS];
    int[] tokens = {};
    for (int step = -WARM; step < STEPS; step++) {
      for (int i = 0; i < sequences.size(); i++) {
        sequences.get(i).append(tokens.length > i ? tokens[i] : 1);
      }
      var chunks = sequences.stream().map(sequence -> new Chunk(sequence, 1)).toList();
      long start = System.nanoTime();
      tokens = driver.draw(chunks);
      if (step >= 0) {
        seconds[step] = since(start);
      }
    }
    Arrays.sort(seconds);
    double median = seconds[STEPS / 2];
    double cached = sequences.stream().mapToLong(Sequence::total).sum();
    double floor = shape.floor(sequences.size(), cached);
    json.addObject()
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
