package dev.millrace.testkit;

import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.quant.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A tiny decoder whose weights are a formula, with the logits that Hugging Face transformers
 * computes for one prompt. Its numbers are exact in F32, BF16 and F16, so one set of logits serves
 * all three.
 *
 * <p>Element i of tensor {@code name} is made of {@code k = (splitmix64(fnv1a64(name) + i) >>> 56)
 * − 128}: a matrix holds {@code k · 2^−e}, a vector {@code c + floor(k / 16) / 32}.
 *
 * @param config as transformers 5 writes it
 * @param prompt token ids
 * @param greedy token ids that follow the prompt
 * @param logits [prompt length][vocabulary]
 */
public record GoldenModel(
    ObjectNode config, JsonNode tensors, int[] prompt, int[] greedy, float[][] logits) {

  /** Reads {@code name.json} and {@code name.logits.f32} of a folder. */
  public static GoldenModel read(Path folder, String name) throws IOException {
    var json = new ObjectMapper().readTree(folder.resolve(name + ".json").toFile());
    int rows = json.get("rows").intValue();
    int cols = json.get("cols").intValue();
    var floats =
        ByteBuffer.wrap(Files.readAllBytes(folder.resolve(name + ".logits.f32")))
            .order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer();
    var logits = new float[rows][cols];
    for (float[] row : logits) {
      floats.get(row);
    }
    return new GoldenModel(
        (ObjectNode) json.get("config"),
        json.get("params"),
        ints(json.get("ids")),
        ints(json.get("greedy")),
        logits);
  }

  /**
   * Holds a loaded model to the logits, one position after the other, and to the greedy tokens.
   *
   * @param tolerance largest difference of a logit
   */
  public void check(StepDriver driver, float tolerance) {
    var sequence = driver.sequence(prompt[0]);
    for (int i = 0; i < prompt.length; i++) {
      float[] found = driver.finish(sequence);
      assertArrayEquals(logits[i], found, tolerance, "logits of position " + i);
      sequence.append(i + 1 < prompt.length ? prompt[i + 1] : best(found));
    }
    checkGreedy(driver, sequence);
  }

  /** As {@link #check}, but with the whole prompt in one step. */
  public void checkWhole(StepDriver driver, float tolerance) {
    var sequence = driver.sequence(prompt);
    float[][] found = driver.finishEach(sequence);
    for (int i = 0; i < prompt.length; i++) {
      assertArrayEquals(logits[i], found[i], tolerance, "logits of position " + i);
    }
    sequence.append(best(found[prompt.length - 1]));
    checkGreedy(driver, sequence);
  }

  private void checkGreedy(StepDriver driver, Sequence sequence) {
    int[] found = new int[greedy.length];
    for (int i = 0; i < found.length; i++) {
      found[i] = sequence.token(sequence.total() - 1);
      sequence.append(best(driver.finish(sequence)));
    }
    assertArrayEquals(greedy, found);
  }

  private static int best(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  /** The configuration as transformers 4 writes it; that of older code has one spelling. */
  public ObjectNode configInOldSpelling() {
    var old = config.deepCopy();
    if (!old.has("rope_parameters")) {
      return old;
    }
    var rope = (ObjectNode) old.remove("rope_parameters");
    if (rope.has("full_attention")) {
      old.set("rope_local_base_freq", rope.get("sliding_attention").get("rope_theta"));
      rope = (ObjectNode) rope.get("full_attention");
    }
    if (old.has("_sliding_window_pattern")) {
      old.set("sliding_window_pattern", old.remove("_sliding_window_pattern"));
    }
    old.remove("layer_types");
    if (old.has("moe_intermediate_size")) {
      old.set("num_experts", old.remove("num_local_experts"));
    }
    if (rope.has("partial_rotary_factor")) {
      old.set("partial_rotary_factor", rope.remove("partial_rotary_factor"));
    }
    old.set("rope_theta", rope.remove("rope_theta"));
    boolean plain = rope.get("rope_type").textValue().equals("default");
    old.set("rope_scaling", plain ? null : rope);
    old.put("torch_dtype", "float32");
    return old;
  }

  /** Writes a model directory without a tokenizer; the weights are in one file. */
  public void write(Path folder, ObjectNode configuration, DType dtype) throws IOException {
    Files.writeString(folder.resolve("config.json"), configuration.toString());
    CheckpointWriter.write(folder.resolve("model.safetensors"), tensors(dtype));
  }

  /** Writes what transformers 4 would: the old spelling, and experts in tensors of their own. */
  public void writeInOldSpelling(Path folder, DType dtype) throws IOException {
    var old = configInOldSpelling();
    Files.writeString(folder.resolve("config.json"), old.toString());
    boolean mixtral = old.get("model_type").textValue().equals("mixtral");
    CheckpointWriter.write(
        folder.resolve("model.safetensors"), StackedExperts.apart(tensors(dtype), mixtral));
  }

  /** All tensors, by name, in the given type. */
  public Map<String, CheckpointWriter.Tensor> tensors(DType dtype) {
    var all = new LinkedHashMap<String, CheckpointWriter.Tensor>();
    for (var tensor : tensors) {
      int[] shape = ints(tensor.get("shape"));
      String name = tensor.get("name").textValue();
      float[] values = values(name, shape, tensor);
      all.put(name, new CheckpointWriter.Tensor(dtype, shape, encode(values, dtype)));
    }
    return all;
  }

  private static float[] values(String name, int[] shape, JsonNode tensor) {
    int count = 1;
    for (int size : shape) {
      count *= size;
    }
    long seed = fnv(name);
    float[] values = new float[count];
    boolean matrix = tensor.get("kind").textValue().equals("mat");
    for (int i = 0; i < count; i++) {
      int k = (int) (splitMix(seed + i) >>> 56) - 128;
      values[i] =
          matrix
              ? Math.scalb((float) k, -tensor.get("e").intValue())
              : tensor.get("c").floatValue() + (k >> 4) / 32f;
    }
    return values;
  }

  private static byte[] encode(float[] values, DType dtype) {
    var bytes = new byte[values.length * dtype.bytes()];
    var segment = MemorySegment.ofArray(bytes);
    if (dtype == DType.F32) {
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
      return bytes;
    }
    for (int i = 0; i < values.length; i++) {
      int half =
          dtype == DType.BF16
              ? Float.floatToRawIntBits(values[i]) >>> 16
              : Float.floatToFloat16(values[i]);
      segment.set(JAVA_SHORT_UNALIGNED, 2L * i, (short) half);
    }
    return bytes;
  }

  private static long fnv(String name) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * 0x100000001b3L;
    }
    return hash;
  }

  private static long splitMix(long x) {
    long z = x + 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  private static int[] ints(JsonNode array) {
    int[] ints = new int[array.size()];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = array.get(i).intValue();
    }
    return ints;
  }
}
