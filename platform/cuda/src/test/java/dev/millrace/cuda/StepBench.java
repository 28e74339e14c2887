package dev.millrace.cuda;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
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
 * How long steps take with random weights: a prompt in chunks of 512, then decoding at several
 * batch sizes. The shape is Llama-3.2-1B's; on the simulation, a toy's.
 */
record StepBench(ArrayNode json, Consumer<String> say) {
  private static final boolean REAL = !SuitePart.simulated();
  private static final int BLOCK_SIZE = 16;
  private static final int STEPS = 10;

  void run() throws IOException {
    var folder = Files.createTempDirectory("gpu-suite");
    var config = new ObjectMapper().createObjectNode();
    config.put("model_type", "llama").put("hidden_act", "silu").put("rms_norm_eps", 1e-5);
    config.put("hidden_size", REAL ? 2048 : 64).put("intermediate_size", REAL ? 8192 : 96);
    config.put("num_hidden_layers", REAL ? 16 : 2).put("vocab_size", REAL ? 128_256 : 64);
    config.put("num_attention_heads", REAL ? 32 : 2).put("num_key_value_heads", REAL ? 8 : 1);
    config.put("head_dim", REAL ? 64 : 32).put("max_position_embeddings", 4096);
    config.put("tie_word_embeddings", true).put("rope_theta", 500_000);
    Files.writeString(folder.resolve("config.json"), config.toString());
    var read = JsonModelConfig.open(folder);
    var plugin = new LlamaPlugin();
    var spec = plugin.describe(read);
    int blocks = (REAL ? 64 : 4) * 16;
    try (var source = new DummyCheckpoint(read, 1);
        Device device = new CudaProvider().open(0.9)) {
      var weights = new CheckpointWeights(source, List.of(new PlainMatrices()), DtypeChoice.AUTO);
      var model = plugin.load(spec, read, weights);
      long start = System.nanoTime();
      try (var loaded =
          device.load(model, spec, new KvLayout(blocks, BLOCK_SIZE, KvDtype.BFLOAT16))) {
        say.accept("load: %.1f s".formatted((System.nanoTime() - start) / 1e9));
        for (int batch : REAL ? new int[] {1, 8, 32, 64} : new int[] {1, 2}) {
          measure(new StepDriver(loaded, blocks, BLOCK_SIZE, spec.vocabulary()), batch);
        }
      }
    }
    Files.delete(folder.resolve("config.json"));
    Files.delete(folder);
  }

  private void measure(StepDriver driver, int batch) {
    int context = REAL ? 128 : 8;
    var sequences = new ArrayList<Sequence>();
    long start = System.nanoTime();
    for (int i = 0; i < batch; i++) {
      int[] prompt = new int[context];
      Arrays.setAll(prompt, at -> (at * 7 + 3) % 64);
      sequences.add(driver.sequence(prompt));
      driver.finish(sequences.getLast());
    }
    double prefill = (System.nanoTime() - start) / 1e9;
    double[] seconds = new double[STEPS];
    for (int step = 0; step < STEPS; step++) {
      sequences.forEach(sequence -> sequence.append(1));
      var chunks = sequences.stream().map(sequence -> new Chunk(sequence, 1)).toList();
      long began = System.nanoTime();
      driver.step(chunks);
      seconds[step] = (System.nanoTime() - began) / 1e9;
    }
    sequences.forEach(driver::preempt);
    Arrays.sort(seconds);
    double median = seconds[STEPS / 2];
    json.addObject()
        .put("batch", batch)
        .put("context", context)
        .put("prefill tok/s", batch * context / prefill)
        .put("step s", median)
        .put("decode tok/s", batch / median);
    say.accept(
        "batch %d, context %d: prefill %.0f tok/s, step %.3f ms, decode %.0f tok/s"
            .formatted(batch, context, batch * context / prefill, median * 1e3, batch / median));
  }
}
