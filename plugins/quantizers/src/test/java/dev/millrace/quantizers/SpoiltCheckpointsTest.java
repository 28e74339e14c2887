package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.millrace.spi.InferenceException;
import dev.millrace.spi.QuantizationPlugin;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.MemoryCheckpoint;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Configurations and tensors that are spoilt at random, a seed for each: a matrix is refused by a
 * typed error, or it decodes to numbers. {@code -Dmillrace.fuzz.cases} makes it longer, {@code
 * -Dmillrace.fuzz.first} begins at another seed.
 */
class SpoiltCheckpointsTest {
  private static final int CASES = Integer.getInteger("millrace.fuzz.cases", 1_000);
  private static final int FIRST = Integer.getInteger("millrace.fuzz.first", 0);
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final long SLOW_NANOS = 5_000_000_000L;
  private static final String MATRIX = "model.layers.0.mlp.up_proj";
  private static final List<DType> TYPES = List.of(DType.values());
  private static final int ROWS = 32;
  private static final int COLS = 64;
  private static final int[] NUMBERS = {
    0,
    1,
    -1,
    2,
    3,
    5,
    7,
    8,
    16,
    31,
    33,
    64,
    127,
    128,
    255,
    1 << 20,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE
  };
  private static final List<Object> VALUES =
      List.of(
          -1,
          0,
          1,
          2,
          3,
          4,
          5,
          8,
          16,
          32,
          64,
          1 << 30,
          0.5,
          true,
          false,
          "",
          "gptq",
          "gptq_v2",
          "marlin",
          "int-quantized",
          "group",
          "channel",
          "tensor",
          "block",
          "re:(",
          "re:.*",
          List.of(),
          List.of(16, 16),
          List.of("x"),
          List.of("re:["),
          Map.of(),
          Map.of("a", 1));

  @ParameterizedTest
  @EnumSource(QuantizedKind.class)
  void spoiltCheckpointsAreReadOrRefused(QuantizedKind kind) {
    float[] weights = new float[ROWS * COLS];
    var numbers = new SplittableRandom(1);
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) numbers.nextGaussian() / 8;
    }
    var sound = new MemoryCheckpoint();
    kind.write(MATRIX, ROWS, COLS, weights, sound);
    var plugin = plugin(String.valueOf(kind.config().get("quant_method")));
    int read = 0;
    int refused = 0;
    for (int seed = FIRST; seed < FIRST + CASES; seed++) {
      var random = new SplittableRandom(seed);
      var spoilt = spoilt(sound, kind.config(), random);
      long start = THREADS.getCurrentThreadCpuTime(); // the clock runs for others, too
      try {
        decode(plugin, spoilt);
        read++;
      } catch (InferenceException e) {
        refused++;
      } catch (RuntimeException | Error e) {
        fail("seed " + seed, e);
      }
      long taken = THREADS.getCurrentThreadCpuTime() - start;
      assertTrue(taken < SLOW_NANOS, "seed " + seed + " took over 5 s");
    }
    assertTrue(read > 0 && refused > 0, read + " read, " + refused + " refused");
  }

  private static void decode(QuantizationPlugin plugin, MemoryCheckpoint checkpoint) {
    if (!plugin.accepts(MATRIX, checkpoint)) {
      return;
    }
    var matrix = plugin.read(MATRIX, checkpoint);
    float[] row = new float[matrix.cols()];
    for (int r = 0; r < matrix.rows(); r++) {
      matrix.decodeRow(r, row);
      for (float weight : row) {
        assertTrue(Float.isFinite(weight), "row " + r + " has " + weight);
      }
    }
  }

  private static QuantizationPlugin plugin(String name) {
    return ServiceLoader.load(QuantizationPlugin.class).stream()
        .map(ServiceLoader.Provider::get)
        .filter(plugin -> plugin.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static MemoryCheckpoint spoilt(
      MemoryCheckpoint sound, Map<String, Object> config, SplittableRandom random) {
    var tensors = new LinkedHashMap<String, CheckpointTensor>();
    sound.names().forEach(name -> tensors.put(name, sound.tensor(name)));
    Map<String, Object> settings = config;
    var checkpoint = new MemoryCheckpoint();
    for (int i = random.nextInt(2); i >= 0; i--) {
      if (random.nextInt(3) == 0) {
        settings = spoilt(settings, random);
      } else {
        spoil(tensors, random);
      }
    }
    for (var tensor : tensors.values()) {
      var shape = tensor.shape().stream().map(Long::intValue).toList();
      byte[] bytes = tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
      checkpoint.bytes(tensor.name(), tensor.dtype(), shape, bytes);
    }
    return checkpoint.quantization(settings);
  }

  /** Changes, adds or removes a setting, at any depth. */
  private static Map<String, Object> spoilt(Map<String, Object> config, SplittableRandom random) {
    var spoilt = new LinkedHashMap<>(config);
    spoilt.values().removeIf(value -> value == null);
    if (spoilt.isEmpty()) {
      return spoilt;
    }
    var keys = List.copyOf(spoilt.keySet());
    String key = keys.get(random.nextInt(keys.size()));
    if (spoilt.get(key) instanceof Map<?, ?> inner && random.nextInt(4) > 0) {
      var copy = new LinkedHashMap<String, Object>();
      inner.forEach((name, value) -> copy.put(String.valueOf(name), value));
      spoilt.put(key, spoilt(copy, random));
    } else if (random.nextInt(4) == 0) {
      spoilt.remove(key);
    } else {
      spoilt.put(key, VALUES.get(random.nextInt(VALUES.size())));
    }
    return spoilt;
  }

  private static void spoil(Map<String, CheckpointTensor> tensors, SplittableRandom random) {
    var names = List.copyOf(tensors.keySet());
    var tensor = tensors.get(names.get(random.nextInt(names.size())));
    if (tensor == null) {
      return;
    }
    byte[] bytes = tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
    var shape = new ArrayList<>(tensor.shape());
    var type = tensor.dtype();
    switch (random.nextInt(bytes.length > 0 ? 8 : 5)) { // the last ways change a byte
      case 0 -> {
        tensors.remove(tensor.name());
        return;
      }
      case 1 -> type = TYPES.get(random.nextInt(TYPES.size()));
      case 2 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 8));
      case 3 -> {
        if (!shape.isEmpty()) {
          int side = Math.abs(NUMBERS[random.nextInt(NUMBERS.length - 1)]);
          shape.set(random.nextInt(shape.size()), (long) side);
        }
      }
      case 4 -> {
        // another shape that the bytes fit
        long elements = tensor.elements();
        long side = random.nextBoolean() ? 1 : Math.max(1, elements / 2);
        shape = new ArrayList<>(List.of(side, elements / side));
      }
      case 5 -> bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      default -> {
        int number = NUMBERS[random.nextInt(NUMBERS.length)];
        int at = random.nextInt(bytes.length) / 4 * 4;
        for (int i = at; i < Math.min(at + 4, bytes.length); i++) {
          bytes[i] = (byte) (number >> (8 * (i - at)));
        }
      }
    }
    var memory = new MemoryCheckpoint();
    var sides = shape.stream().map(Long::intValue).toList();
    tensors.put(
        tensor.name(), memory.bytes(tensor.name(), type, sides, bytes).tensor(tensor.name()));
  }
}
