package dev.millrace.engine.load;

import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.QuantizedMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A checkpoint as a plugin sees it while it reads one matrix: what it takes is remembered. */
final class ReadCheckpoint implements Checkpoint {
  private final Checkpoint from;
  private final ModelConfig quantization;
  private final Map<String, CheckpointTensor> taken = new ConcurrentHashMap<>();

  ReadCheckpoint(Checkpoint from, ModelConfig quantization) {
    this.from = from;
    this.quantization = quantization;
  }

  /** The names of the tensors taken so far. */
  Set<String> taken() {
    return taken.keySet();
  }

  /** The tensors taken that have no bytes in common with what was made of them. */
  Collection<CheckpointTensor> spent(QuantizedMatrix made) {
    return taken.values().stream()
        .filter(tensor -> made.packed().asOverlappingSlice(tensor.bytes()).isEmpty())
        .toList();
  }

  @Override
  public Set<String> names() {
    return from.names();
  }

  @Override
  public boolean has(String tensor) {
    return from.has(tensor);
  }

  @Override
  public CheckpointTensor tensor(String name) {
    CheckpointTensor tensor = from.tensor(name);
    taken.put(name, tensor);
    return tensor;
  }

  @Override
  public ModelConfig quantization() {
    return quantization;
  }

  @Override
  public MemorySegment allocate(String owner, long bytes) {
    return from.allocate(owner, bytes);
  }
}
