package dev.millrace.engine.quantize;

import dev.millrace.engine.load.WeightSource;
import dev.millrace.engine.mapping.MappedFiles;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ExpertNames;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.CheckpointTensor;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A checkpoint whose experts lie together, seen as one in which each matrix of each expert is a
 * tensor of its own, as quantized checkpoints have them. Everything beside the experts gets the
 * name of their block, too. The bytes are the source's, and closing is left to it.
 */
final class ExpertsApart implements WeightSource {
  private static final String GATE_UP = ".experts.gate_up_proj";
  private static final String DOWN = ".experts.down_proj";

  private final WeightSource source;
  private final ExpertNames names;
  private final Map<String, CheckpointTensor> tensors = new TreeMap<>();

  /**
   * Takes experts apart. A model must have been bound to the source before, which holds its shapes
   * to what they should be.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} naming a tensor that is there twice then
   */
  ExpertsApart(WeightSource source, ExpertNames names) {
    this.source = source;
    this.names = names;
    var blocks = blocks(source);
    for (String name : source.names()) {
      var tensor = source.tensor(name);
      String block = blocks.stream().filter(b -> name.startsWith(b + ".")).findAny().orElse(null);
      if (block == null) {
        put(name, tensor);
      } else if (name.equals(block + GATE_UP)) {
        cut(block, List.of(names.gate(), names.up()), tensor);
      } else if (name.equals(block + DOWN)) {
        cut(block, List.of(names.down()), tensor);
      } else {
        put(renamed(block) + name.substring(block.length()), tensor);
      }
    }
  }

  /** Whether experts of this checkpoint lie together. */
  static boolean fits(WeightSource source) {
    return !blocks(source).isEmpty();
  }

  /** The modules that hold experts which lie together. */
  private static Set<String> blocks(WeightSource source) {
    return source.names().stream()
        .filter(name -> name.endsWith(GATE_UP))
        .map(name -> name.substring(0, name.length() - GATE_UP.length()))
        .collect(Collectors.toUnmodifiableSet());
  }

  private String renamed(String block) {
    return block.substring(0, block.lastIndexOf('.') + 1) + names.block();
  }

  /** Makes matrices of [experts, all their rows, columns]. */
  private void cut(String block, List<String> matrices, CheckpointTensor stacked) {
    long experts = stacked.shape().get(0);
    long rows = stacked.shape().get(1) / matrices.size();
    long cols = stacked.shape().get(2);
    long bytes = rows * cols * stacked.dtype().bytes();
    long at = 0;
    for (long expert = 0; expert < experts; expert++) {
      for (String matrix : matrices) {
        String name = "%s.experts.%d.%s.weight".formatted(renamed(block), expert, matrix);
        var slice = stacked.bytes().asSlice(at, bytes);
        put(name, new CheckpointTensor(name, stacked.dtype(), List.of(rows, cols), slice));
        at += bytes;
      }
    }
  }

  private void put(String name, CheckpointTensor tensor) {
    if (tensors.put(name, tensor) != null) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          name + " is there by itself and among experts that lie together; one of them must go");
    }
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public boolean has(String tensor) {
    return tensors.containsKey(tensor);
  }

  @Override
  public CheckpointTensor tensor(String name) {
    var tensor = tensors.get(name);
    if (tensor == null) {
      throw new InferenceException(
          ErrorCode.MISSING_TENSOR, name + " is missing where each expert has tensors of its own");
    }
    return tensor;
  }

  @Override
  public ModelConfig quantization() {
    return source.quantization();
  }

  @Override
  public MemorySegment allocate(String owner, long bytes) {
    return source.allocate(owner, bytes);
  }

  @Override
  public void release(CheckpointTensor tensor) {
    source.release(tensor);
  }

  @Override
  public MappedFiles files() {
    return source.files();
  }

  @Override
  public void close() {}
}
