package dev.millrace.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.device.Device;
import dev.millrace.engine.device.KvDtype;
import dev.millrace.engine.device.KvLayout;
import dev.millrace.engine.device.cpu.ReferenceDevice;
import dev.millrace.engine.load.CheckpointWeights;
import dev.millrace.engine.load.DtypeChoice;
import dev.millrace.engine.load.HuggingFaceCheckpoint;
import dev.millrace.engine.load.JsonModelConfig;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.ModelPlugin;
import dev.millrace.spi.model.ModelSpec;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.StepDriver.Chunk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What every model plugin must keep: its tensors are found by name and all used, and what it
 * computes for a token does not depend on how the prompt was cut, on neighbours or on preemption.
 * Extend it, give a plugin and a small checkpoint of its family, and the whole contract runs.
 */
public abstract class ModelContract {
  private static final int BLOCKS = 64;
  private static final int BLOCK_SIZE = 4;

  @TempDir private Path folder;

  /** The plugin under test. */
  protected abstract ModelPlugin plugin();

  /** A small checkpoint of its family. */
  protected abstract GoldenModel checkpoint() throws IOException;

  /** The device to run on, with so many threads; the contract closes it. */
  protected Device device(int threads) {
    return new ReferenceDevice(threads);
  }

  /** What a test does with the loaded model. */
  private interface Body {
    void run(StepDriver driver, ModelSpec spec);
  }

  @Test
  void everyTensorIsUsed() throws IOException {
    checkpoint().write(folder, checkpoint().config(), DType.BF16);
    var config = JsonModelConfig.open(folder);
    try (var source = HuggingFaceCheckpoint.open(folder)) {
      var weights = weights(source);
      var _ = plugin().load(plugin().describe(config), config, weights);
      assertEquals(Set.of(), weights.unused());
    }
  }

  @Test
  void aMissingTensorIsNamed() throws IOException {
    var tensors = checkpoint().tensors(DType.F32);
    for (String missing : List.copyOf(tensors.keySet())) {
      var others = new LinkedHashMap<>(tensors);
      others.remove(missing);
      checkpoint().write(folder, checkpoint().config(), DType.F32);
      CheckpointWriter.write(folder.resolve("model.safetensors"), others);
      var config = JsonModelConfig.open(folder);
      try (var source = HuggingFaceCheckpoint.open(folder)) {
        var error =
            assertThrows(
                InferenceException.class,
                () -> plugin().load(plugin().describe(config), config, weights(source)));
        assertTrue(
            error.code() == ErrorCode.MISSING_TENSOR
                || error.code() == ErrorCode.UNSUPPORTED_QUANTIZATION,
            error.getMessage());
        String matrix = missing.replaceAll("\\.weight$", "");
        assertTrue(String.valueOf(error.getMessage()).contains(matrix), error.getMessage());
      }
    }
  }

  @Test
  void chunksChangeNothing() throws IOException {
    run((driver, spec) -> {
      int[] prompt = checkpointPrompt();
      float[] whole = driver.finish(driver.sequence(prompt));
      for (int chunk : new int[] {1, 3, 5, 16}) {
        assertArrayEquals(whole, chunked(driver, prompt, chunk), "chunks of " + chunk);
      }
    });
  }

  @Test
  void neighboursChangeNothing() throws IOException {
    run((driver, spec) -> {
      var random = new SplittableRandom(3);
      int[] prompt = checkpointPrompt();
      float[] alone = driver.finish(driver.sequence(prompt));
      var chunks = new ArrayList<Chunk>();
      for (int i = 0; i < 4; i++) {
        int[] other = random.ints(1 + i * 7, 0, spec.vocabulary()).toArray();
        chunks.add(new Chunk(driver.sequence(other), other.length));
      }
      chunks.add(2, new Chunk(driver.sequence(prompt), prompt.length));
      assertArrayEquals(alone, driver.step(chunks)[2]);
    });
  }

  @Test
  void preemptionChangesNothing() throws IOException {
    run((driver, spec) -> {
      int[] prompt = checkpointPrompt();
      float[] whole = driver.finish(driver.sequence(prompt));
      var sequence = driver.sequence(prompt);
      driver.step(List.of(new Chunk(sequence, 7)));
      driver.preempt(sequence);
      float[] other = driver.finish(driver.sequence(1, 2, 3));
      assertEquals(spec.vocabulary(), other.length);
      assertArrayEquals(whole, driver.finish(sequence));
    });
  }

  @Test
  void threadsChangeNothing() throws IOException {
    var outputs = new ArrayList<float[]>();
    for (int threads : new int[] {1, 2, 3}) {
      run(
          device(threads),
          (driver, _) -> outputs.add(driver.finish(driver.sequence(checkpointPrompt()))));
    }
    assertArrayEquals(outputs.get(0), outputs.get(1));
    assertArrayEquals(outputs.get(0), outputs.get(2));
  }

  private static float[] chunked(StepDriver driver, int[] prompt, int size) {
    Sequence sequence = driver.sequence(prompt);
    while (sequence.pending() > size) {
      assertEquals(0, driver.step(List.of(new Chunk(sequence, size))).length);
    }
    return driver.finish(sequence);
  }

  private int[] checkpointPrompt() {
    try {
      return checkpoint().prompt();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void run(Body body) throws IOException {
    run(device(2), body);
  }

  private void run(Device opened, Body body) throws IOException {
    checkpoint().write(folder, checkpoint().config(), DType.F32);
    var config = JsonModelConfig.open(folder);
    try (var device = opened;
        var source = HuggingFaceCheckpoint.open(folder)) {
      var spec = plugin().describe(config);
      var model = plugin().load(spec, config, weights(source));
      try (var loaded =
          device.load(model, spec, new KvLayout(BLOCKS, BLOCK_SIZE, KvDtype.FLOAT32))) {
        body.run(new StepDriver(loaded, BLOCKS, BLOCK_SIZE, spec.vocabulary()), spec);
      }
    }
  }

  private static CheckpointWeights weights(HuggingFaceCheckpoint source) {
    return new CheckpointWeights(source, List.of(new PlainMatrices()), DtypeChoice.AUTO);
  }
}
