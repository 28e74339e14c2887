package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What bitsandbytes notes of a matrix of 4 bits.
 *
 * @param block numbers that share a scale
 * @param nestedBlock scales that share a scale; 0: scales are F32
 * @param nestedOffset added to scales made of others
 */
record QuantState(int rows, int cols, int block, int nestedBlock, float nestedOffset) {
  private static final int LARGEST = Integer.MAX_VALUE / 32;

  /**
   * Reads the tensor that has it.
   *
   * @throws InferenceException {@code INVALID_CHECKPOINT} by its name
   */
  static QuantState of(Stored tensor) {
    var json = new String(tensor.bytes().toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    try {
      return of(FlatJson.parse(json));
    } catch (IllegalArgumentException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          tensor.name() + " is no quantization state: " + e.getMessage(),
          e);
    }
  }

  private static QuantState of(Map<String, Object> members) {
    if (!(members.get("shape") instanceof List<?> shape) || shape.size() != 2) {
      throw new IllegalArgumentException("shape is " + members.get("shape"));
    }
    boolean nested = members.containsKey("nested_blocksize");
    return new QuantState(
        size("shape", shape.get(0)),
        size("shape", shape.get(1)),
        size("blocksize", members.get("blocksize")),
        nested ? size("nested_blocksize", members.get("nested_blocksize")) : 0,
        nested ? number(members.get("nested_offset")) : 0);
  }

  private static int size(String key, @Nullable Object value) {
    if (value instanceof Double size && size >= 1 && size <= LARGEST && size == Math.rint(size)) {
      return size.intValue();
    }
    throw new IllegalArgumentException(key + " is " + value);
  }

  private static float number(@Nullable Object value) {
    if (value instanceof Double number && Float.isFinite(number.floatValue())) {
      return number.floatValue();
    }
    throw new IllegalArgumentException("nested_offset is " + value);
  }
}
