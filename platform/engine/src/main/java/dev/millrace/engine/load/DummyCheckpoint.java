package dev.millrace.engine.load;

import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.LongStream;

/**
 * Random BF16 weights of a configuration's shape, for {@code --load-format dummy}: matrices about
 * normal(0, 0.02), {@code .bias} vectors 0, other vectors 1. The same seed, name and place give the
 * same number on every machine. A tensor is made when its shape is announced and stays until this
 * is closed, or until a quantizer has made something else of it.
 *
 * <p>Which tensors it has follows from the configuration:
 *
 * <ul>
 *   <li>{@code lm_head.weight}, unless {@code tie_word_embeddings} is true;
 *   <li>the {@code .bias} of a name ending in {@code q_proj}, {@code k_proj}, {@code v_proj},
 *       {@code qkv_proj} or {@code o_proj} if {@code attention_bias} is true, and all of these but
 *       {@code o_proj} if {@code model_type} begins with {@code qwen2}, which has no such key;
 *   <li>the {@code .bias} of {@code gate_proj}, {@code up_proj}, {@code gate_up_proj} or {@code
 *       down_proj} if {@code mlp_bias} is true;
 *   <li>every {@code .bias} of a norm and, unless {@code use_bias} is false, of all else, if {@code
 *       model_type} is {@code starcoder2};
 *   <li>the {@code .bias} of {@code c_attn} and, if {@code no_bias} is false, of {@code c_proj},
 *       {@code w1} and {@code w2}, if {@code model_type} is {@code qwen};
 *   <li>no other {@code .bias}, every other {@code .weight}, and nothing else.
 * </ul>
 */
public final class DummyCheckpoint implements WeightSource {
  private static final List<String> QKV = List.of("q_proj", "k_proj", "v_proj", "qkv_proj");
  private static final List<String> MLP =
      List.of("gate_proj", "up_proj", "gate_up_proj", "down_proj");

  private static final List<String> QWEN = List.of("c_proj", "w1", "w2");

  private final JsonModelConfig config;
  private final long seed;
  private final ModelMemory memory = new ModelMemory();
  private final Map<String, Made> tensors = new ConcurrentHashMap<>();

  private record Made(CheckpointTensor tensor, ModelMemory memory) {}

  public DummyCheckpoint(JsonModelConfig config, long seed) {
    this.config = config;
    this.seed = seed;
  }

  /** The tensors made so far. */
  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public boolean has(String tensor) {
    if (tensor.endsWith(".bias")) {
      return hasBias(tensor.substring(0, tensor.length() - ".bias".length()));
    }
    return tensor.endsWith("lm_head.weight")
        ? !config.flag("tie_word_embeddings", false)
        : tensor.endsWith(".weight");
  }

  private boolean hasBias(String module) {
    if (config.modelType().equals("starcoder2")) {
      return module.endsWith("norm") || config.flag("use_bias", true);
    }
    if (config.modelType().equals("qwen")) {
      boolean other = QWEN.stream().anyMatch(module::endsWith) && !config.flag("no_bias", true);
      return module.endsWith("c_attn") || other;
    }
    boolean attention = config.flag("attention_bias", false);
    if (module.endsWith("o_proj")) {
      return attention;
    }
    if (MLP.stream().anyMatch(module::endsWith)) {
      return config.flag("mlp_bias", false);
    }
    return QKV.stream().anyMatch(module::endsWith)
        && (attention || config.modelType().startsWith("qwen2"));
  }

  @Override
  public void expect(String tensor, long... shape) {
    if (has(tensor)) {
      tensors.computeIfAbsent(tensor, name -> make(name, shape));
    }
  }

  @Override
  public CheckpointTensor tensor(String name) {
    Made made = tensors.get(name);
    if (made == null) {
      throw new InferenceException(
          ErrorCode.MISSING_TENSOR,
          name
              + (has(name)
                  ? " has no shape yet: dummy weights are made when a model asks for them"
                  : " is not part of the dummy weights of this configuration"));
    }
    return made.tensor();
  }

  private Made make(String name, long... shape) {
    var own = new ModelMemory();
    try {
      return new Made(make(name, own, shape), own);
    } catch (RuntimeException | Error e) {
      own.close();
      throw e;
    }
  }

  private CheckpointTensor make(String name, ModelMemory own, long... shape) {
    long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    MemorySegment bytes = own.allocate(name, elements * DType.BF16.bytes());
    if (shape.length == 1) {
      float[] values = new float[Math.toIntExact(elements)];
      Arrays.fill(values, name.endsWith(".bias") ? 0 : 1);
      FloatCodec.BF16.encode(values, values.length, bytes, 0);
    } else {
      fill(new DummyNumbers(name, seed), bytes, elements);
    }
    List<Long> sizes = Arrays.stream(shape).boxed().toList();
    return new CheckpointTensor(name, DType.BF16, sizes, bytes);
  }

  private static void fill(DummyNumbers numbers, MemorySegment bytes, long elements) {
    int chunk = 1 << 16;
    LongStream.range(0, Math.ceilDiv(elements, chunk))
        .parallel()
        .map(part -> part * chunk)
        .forEach(first -> {
          float[] values = new float[(int) Math.min(chunk, elements - first)];
          numbers.fill(values, first);
          FloatCodec.BF16.encode(values, values.length, bytes, first);
        });
  }

  /** Empty: what a dummy checkpoint holds is not quantized, whatever the configuration says. */
  @Override
  public ModelConfig quantization() {
    return config.empty();
  }

  @Override
  public MemorySegment allocate(String owner, long bytes) {
    return memory.allocate(owner, bytes);
  }

  /** Forgets the tensor, which can be announced again. */
  @Override
  public void release(CheckpointTensor tensor) {
    Made made = tensors.get(tensor.name());
    if (made != null && made.tensor().equals(tensor)) {
      tensors.remove(tensor.name());
      made.memory().close();
    }
  }

  /** None. */
  @Override
  public MappedFiles files() {
    return memory.files();
  }

  @Override
  public void close() {
    tensors.values().forEach(made -> made.memory().close());
    memory.close();
  }
}
