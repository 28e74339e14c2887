package dev.millrace.engine.load;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Set;

/**
 * One expert of a tensor [experts, out, in], seen as the {@code .weight} of a module of its own, so
 * that quantization plugins read both spellings alike.
 */
record ExpertSlice(CheckpointTensor weight, Checkpoint whole) implements Checkpoint {

  /** The slice of one expert; the tensor's shape is already checked. */
  static ExpertSlice of(CheckpointTensor stacked, int expert, String module, Checkpoint whole) {
    var shape = stacked.shape();
    long bytes = shape.get(1) * shape.get(2) * stacked.dtype().bytes();
    if (stacked.bytes().byteSize() != shape.get(0) * bytes) {
      throw new InferenceException(ErrorCode.INVALID_CHECKPOINT, stacked.name() + " is cut");
    }
    var slice = stacked.bytes().asSlice(expert * bytes, bytes);
    var weight =
        new CheckpointTensor(
            module + ".weight", stacked.dtype(), List.of(shape.get(1), shape.get(2)), slice);
    return new ExpertSlice(weight, whole);
  }

  @Override
  public Set<String> names() {
    return Set.of(weight.name());
  }

  @Override
  public boolean has(String tensor) {
    return tensor.equals(weight.name());
  }

  @Override
  public CheckpointTensor tensor(String name) {
    if (has(name)) {
      return weight;
    }
    throw new InferenceException(
        ErrorCode.MISSING_TENSOR, name + " is missing beside " + weight.name());
  }

  @Override
  public ModelConfig quantization() {
    return whole.quantization();
  }

  @Override
  public MemorySegment allocate(String owner, long bytes) {
    return whole.allocate(owner, bytes);
  }
}
