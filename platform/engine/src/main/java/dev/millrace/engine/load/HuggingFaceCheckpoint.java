package dev.millrace.engine.load;

import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.CheckpointTensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;

/**
 * A model directory as Hugging Face lays it out: {@code config.json} and safetensors files, in one
 * piece or sharded. The files are mapped, not read, and must not be changed while this is open.
 * Thread-safe.
 */
public final class HuggingFaceCheckpoint implements WeightSource {
  private static final String QUANTIZATION = "quantization_config";

  private final Path directory;
  private final ModelConfig quantization;
  private final ModelMemory memory;
  private final Map<String, CheckpointTensor> tensors;

  private HuggingFaceCheckpoint(
      Path directory,
      ModelConfig quantization,
      ModelMemory memory,
      Map<String, CheckpointTensor> tensors) {
    this.directory = directory;
    this.quantization = quantization;
    this.memory = memory;
    this.tensors = Collections.unmodifiableMap(tensors);
  }

  /**
   * Opens a directory: {@code model.safetensors}, else {@code model.safetensors.index.json} and its
   * shards, else the only {@code *.safetensors} file.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} naming the file that is missing or
   *     damaged, and what is wrong with it
   */
  public static HuggingFaceCheckpoint open(Path directory) {
    var quantization = quantization(JsonModelConfig.open(directory));
    var memory = new ModelMemory();
    try {
      var tensors = CheckpointFiles.map(directory, memory.files());
      return new HuggingFaceCheckpoint(directory, quantization, memory, tensors);
    } catch (RuntimeException | Error e) {
      memory.close();
      throw e;
    }
  }

  /** What a configuration says of how weights are quantized; empty: nothing. */
  static ModelConfig quantization(JsonModelConfig config) {
    // compressed-tensors was saved under the second name once
    return config.object(config.has(QUANTIZATION) ? QUANTIZATION : "compression_config");
  }

  @Override
  public Set<String> names() {
    return tensors.keySet();
  }

  @Override
  public boolean has(String tensor) {
    return tensors.containsKey(tensor);
  }

  @Override
  public CheckpointTensor tensor(String name) {
    CheckpointTensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new InferenceException(
          ErrorCode.MISSING_TENSOR,
          name + " is not among the " + tensors.size() + " tensors of " + directory);
    }
    return tensor;
  }

  @Override
  public ModelConfig quantization() {
    return quantization;
  }

  @Override
  public MemorySegment allocate(String owner, long bytes) {
    return memory.allocate(owner, bytes);
  }

  @Override
  public void release(CheckpointTensor tensor) {
    memory.files().release(tensor.bytes());
  }

  @Override
  public MappedFiles files() {
    return memory.files();
  }

  @Override
  public void close() {
    memory.close();
  }
}
