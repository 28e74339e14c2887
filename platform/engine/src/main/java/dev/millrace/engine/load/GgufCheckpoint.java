package dev.millrace.engine.load;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.millrace.engine.gguf.GgufModel;
import dev.millrace.engine.gguf.GgufTensors;
import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.CheckpointTensor;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The weights of a GGUF model under the names of Hugging Face; those in blocks as {@code
 * <module>.q4_k} and the like, for the quantization plugin {@code gguf}. The files are mapped, not
 * read, and must not be changed while this is open. Thread-safe.
 */
public final class GgufCheckpoint implements WeightSource {
  private final ModelConfig quantization;
  private final ModelMemory memory;
  private final GgufTensors tensors;

  /** Memory of tensors that are no bytes of the file. */
  private final Map<String, ModelMemory> copies = new ConcurrentHashMap<>();

  private GgufCheckpoint(ModelConfig quantization, ModelMemory memory, GgufTensors tensors) {
    this.quantization = quantization;
    this.memory = memory;
    this.tensors = tensors;
  }

  /**
   * Maps the files of a model.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} if one cannot be read any more
   */
  public static GgufCheckpoint open(GgufModel model) {
    var quantization = JsonNodeFactory.instance.objectNode();
    if (model.quantized()) {
      quantization.put("quant_method", "gguf");
    }
    var memory = new ModelMemory();
    try {
      return new GgufCheckpoint(
          JsonModelConfig.of(model.path(), quantization), memory, model.map(memory.files()));
    } catch (RuntimeException | Error e) {
      memory.close();
      throw e;
    }
  }

  @Override
  public Set<String> names() {
    return tensors.names();
  }

  @Override
  public boolean has(String tensor) {
    return tensors.names().contains(tensor);
  }

  @Override
  public CheckpointTensor tensor(String name) {
    return tensors.tensor(name, bytes -> copy(name).allocate(name, bytes));
  }

  private ModelMemory copy(String name) {
    return copies.computeIfAbsent(name, _ -> new ModelMemory());
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
    ModelMemory copy = copies.remove(tensor.name());
    if (copy == null) {
      memory.files().release(tensor.bytes());
    } else {
      tensors.forget(tensor.name());
      copy.close();
    }
  }

  @Override
  public MappedFiles files() {
    return memory.files();
  }

  @Override
  public void close() {
    copies.values().forEach(ModelMemory::close);
    memory.close();
  }
}
