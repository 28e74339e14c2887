package dev.millrace.quantizers;

import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.MemoryCheckpoint;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Weights in NF4, as bitsandbytes has them, in the plainest way.
 *
 * @param scales of blocks of 64
 */
record TableSample(int rows, int cols, int[] codes, float[] scales) {
  static final float[] NF4 = {
    -1f, -0.6961928f, -0.52507305f, -0.3949175f, -0.28444138f, -0.18477343f, -0.091050036f, 0f,
    0.0795803f, 0.1609302f, 0.2461123f, 0.33791524f, 0.44070983f, 0.562617f, 0.72295684f, 1f
  };
  private static final int BLOCK = 64;
  private static final float OFFSET = 0.5f;

  /** The nearest numbers of the table. */
  static TableSample of(int rows, int cols, float[] weights) {
    float[] scales = new float[Math.ceilDiv(weights.length, BLOCK)];
    for (int i = 0; i < weights.length; i++) {
      scales[i / BLOCK] = Math.max(scales[i / BLOCK], Math.abs(weights[i]));
    }
    int[] codes = new int[weights.length];
    for (int i = 0; i < codes.length; i++) {
      for (int c = 0; c < 16; c++) {
        float scale = scales[i / BLOCK];
        float error = Math.abs(NF4[c] * scale - weights[i]);
        codes[i] = error < Math.abs(NF4[codes[i]] * scale - weights[i]) ? c : codes[i];
      }
    }
    return new TableSample(rows, cols, codes, scales);
  }

  float[] weights() {
    float[] weights = new float[codes.length];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = NF4[codes[i]] * scales[i / BLOCK];
    }
    return weights;
  }

  /** Adds the tensors with scales of F32. */
  MemoryCheckpoint write(String matrix, MemoryCheckpoint to) {
    String weight = matrix + ".weight";
    return codes(weight, state(""), to)
        .floats(weight + ".absmax", DType.F32, List.of(scales.length), scales);
  }

  /** With scales that are {@code k / 16 + 0.5}, in bytes, as they must be. */
  MemoryCheckpoint writeNested(String matrix, MemoryCheckpoint to) {
    String weight = matrix + ".weight";
    byte[] bytes = new byte[scales.length];
    float[] table = new float[256];
    for (int i = 0; i < 256; i++) {
      table[i] = (i - 128) / 128f;
    }
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) ((scales[i] - OFFSET) * 16 + 128);
    }
    float[] factors = new float[Math.ceilDiv(scales.length, 256)];
    Arrays.fill(factors, 8);
    String nested = ", \"nested_blocksize\": 256, \"nested_offset\": 0.5";
    return codes(weight, state(nested), to)
        .bytes(weight + ".absmax", DType.U8, List.of(bytes.length), bytes)
        .floats(weight + ".nested_absmax", DType.F32, List.of(factors.length), factors)
        .floats(weight + ".nested_quant_map", DType.F32, List.of(256), table);
  }

  String state(String more) {
    return """
    {"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [%d, %d]%s}\
    """
        .formatted(rows, cols, more);
  }

  private MemoryCheckpoint codes(String weight, String state, MemoryCheckpoint to) {
    byte[] bytes = new byte[(codes.length + 1) / 2];
    for (int i = 0; i < codes.length; i++) {
      bytes[i / 2] |= (byte) (codes[i] << (i % 2 == 0 ? 4 : 0));
    }
    byte[] json = state.getBytes(StandardCharsets.UTF_8);
    return to.bytes(weight, DType.U8, List.of(bytes.length, 1), bytes)
        .floats(weight + ".quant_map", DType.F32, List.of(16), NF4)
        .bytes(weight + ".quant_state.bitsandbytes__nf4", DType.U8, List.of(json.length), json);
  }
}
