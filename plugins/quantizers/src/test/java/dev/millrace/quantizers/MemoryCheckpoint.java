package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A checkpoint of tensors put in by a test. */
final class MemoryCheckpoint implements Checkpoint {
  private final Map<String, CheckpointTensor> tensors = new LinkedHashMap<>();

  /** Adds a tensor whose bytes begin at an odd address. */
  MemoryCheckpoint with(String name, DType type, List<Long> shape, byte[] bytes) {
    byte[] shifted = new byte[bytes.length + 1];
    System.arraycopy(bytes, 0, shifted, 1, bytes.length);
    MemorySegment segment = MemorySegment.ofArray(shifted).asSlice(1);
    tensors.put(name, new CheckpointTensor(name, type, shape, segment));
    return this;
  }

  MemoryCheckpoint floats(String name, int rows, int cols, float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return with(name, DType.F32, List.of((long) rows, (long) cols), bytes.array());
  }

  MemoryCheckpoint halves(String name, DType type, int rows, int cols, int... words) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * words.length).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(words).forEach(word -> bytes.putShort((short) word));
    return with(name, type, List.of((long) rows, (long) cols), bytes.array());
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
      throw new InferenceException(ErrorCode.MISSING_TENSOR, name);
    }
    return tensor;
  }

  @Override
  public ModelConfig quantization() {
    throw new UnsupportedOperationException("these plugins do not read it");
  }
}
