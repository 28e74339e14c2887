package dev.millrace.testkit;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.quant.Checkpoint;
import dev.millrace.spi.quant.CheckpointTensor;
import dev.millrace.spi.quant.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A checkpoint of tensors put in by a test. Every tensor lies outside the heap, at an odd address,
 * as a tensor of a mapped file may. Filled by one thread, then read by any.
 */
public final class MemoryCheckpoint implements Checkpoint {
  private final Map<String, CheckpointTensor> tensors = new LinkedHashMap<>();
  private ModelConfig quantization = new MemoryConfig(Map.of());

  /** Adds a tensor of F32, BF16 or F16; values are rounded to the nearest, of two to the even. */
  public MemoryCheckpoint floats(String name, DType type, List<Integer> shape, float... values) {
    var bytes = ByteBuffer.allocate(type.bytes() * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      switch (type) {
        case F32 -> bytes.putFloat(value);
        case BF16 -> bytes.putShort(bf16(value));
        case F16 -> bytes.putShort(Float.floatToFloat16(value));
        case F64, F8_E4M3, F8_E5M2, F8_E8M0, I64, I32, I16, I8, U64, U32, U16, U8, BOOL ->
            throw new IllegalArgumentException("floats as " + type + "; use bytes");
      }
    }
    return bytes(name, type, shape, bytes.array());
  }

  /** Adds a tensor of any type by its bytes; whether they fit its shape is not checked. */
  public MemoryCheckpoint bytes(String name, DType type, List<Integer> shape, byte... bytes) {
    // freed when nobody can reach the tensor any more, which suits a test
    var memory = Arena.ofAuto().allocate(bytes.length + 1L, 8).asSlice(1);
    MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
    var sides = shape.stream().map(Integer::longValue).toList();
    tensors.put(name, new CheckpointTensor(name, type, sides, memory));
    return this;
  }

  /** Sets {@code quantization_config}: strings, numbers, booleans, lists and maps. */
  public MemoryCheckpoint quantization(Map<String, Object> config) {
    quantization = new MemoryConfig(config);
    return this;
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
          ErrorCode.MISSING_TENSOR, name + " is not in the checkpoint, which has " + names());
    }
    return tensor;
  }

  @Override
  public ModelConfig quantization() {
    return quantization;
  }

  @Override
  public MemorySegment allocate(String owner, long bytes) {
    return Arena.ofAuto().allocate(bytes, 64);
  }

  private static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) ((bits >>> 16) | 0x40); // rounding could turn it into an infinity
    }
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }
}
