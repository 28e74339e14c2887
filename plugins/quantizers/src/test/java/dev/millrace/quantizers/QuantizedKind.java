package dev.millrace.quantizers;

import dev.millrace.testkit.MemoryCheckpoint;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The ways in which the tiny model is quantized; each leaves something out, as real ones do. */
enum QuantizedKind {
  /** Two widths of codes, and a matrix that is left out. */
  GPTQ_4_ACT_ORDER,
  GPTQ_3,
  GPTQ_2,
  /** The head as well. */
  GPTQ_8_HEAD,
  /** Experts. */
  GPTQ_4_MIXTURE,
  AWQ,
  /** Attention is left out, so that q, k and v are merged of floats. */
  COMPRESSED_PACKED,
  COMPRESSED_BYTES,
  /** The head as well, and the token table, in codes and a layout of its own. */
  COMPRESSED_ENDS,
  COMPRESSED_FLOATS,
  FP8_TENSOR,
  FP8_BLOCKS,
  NF4_NESTED;

  private static final int GROUP = 32;

  boolean mixture() {
    return this == GPTQ_4_MIXTURE;
  }

  /** Whether the checkpoint has the matrix quantized. */
  boolean quantizes(String matrix) {
    return switch (matrix) {
      case "model.embed_tokens" -> this == COMPRESSED_ENDS;
      case "lm_head" -> this == GPTQ_8_HEAD || this == COMPRESSED_ENDS;
      case "model.layers.1.self_attn.o_proj" ->
          this != GPTQ_4_ACT_ORDER && this != COMPRESSED_PACKED;
      default ->
          !matrix.endsWith("mlp.gate")
              && !(this == COMPRESSED_PACKED && matrix.contains("self_attn"));
    };
  }

  /** Adds the tensors of a matrix; gives what its weights have become. */
  float[] write(String matrix, int rows, int cols, float[] weights, MemoryCheckpoint to) {
    return switch (this) {
      case GPTQ_4_ACT_ORDER -> {
        int bits = matrix.endsWith("down_proj") ? 8 : 4;
        int[] index = IntegerSample.scattered(cols, GROUP);
        var sample = IntegerSample.of(bits, rows, weights, index, false);
        sample.gptq(matrix, false, true, to);
        yield sample.weights();
      }
      case GPTQ_3 -> gptq(3, cols, matrix, rows, weights, true, to);
      case GPTQ_2 -> gptq(2, GROUP, matrix, rows, weights, false, to);
      case GPTQ_8_HEAD -> gptq(8, cols, matrix, rows, weights, false, to);
      case GPTQ_4_MIXTURE -> gptq(4, GROUP, matrix, rows, weights, true, to);
      case AWQ -> {
        int[] index = IntegerSample.inOrder(cols, GROUP);
        var sample = IntegerSample.of(4, rows, weights, index, false);
        sample.awq(matrix, to);
        yield sample.weights();
      }
      case COMPRESSED_PACKED -> {
        int[] index = IntegerSample.inOrder(cols, GROUP);
        var sample = IntegerSample.of(4, rows, weights, index, false);
        new CompressedSample(sample, false).packed(matrix, false, to);
        yield sample.weights();
      }
      case COMPRESSED_BYTES -> bytes(matrix, rows, cols, weights, to);
      case COMPRESSED_ENDS -> {
        if (matrix.endsWith("embed_tokens")) {
          yield bytes(matrix, rows, cols, weights, to);
        }
        var sample = IntegerSample.of(4, rows, weights, IntegerSample.inOrder(cols, GROUP), true);
        new CompressedSample(sample, true).packed(matrix, false, to);
        yield sample.weights();
      }
      case COMPRESSED_FLOATS -> fp8(matrix, "weight_scale", rows, cols, weights, 1, cols, to);
      case FP8_TENSOR -> fp8(matrix, "weight_scale", rows, cols, weights, rows, cols, to);
      case FP8_BLOCKS -> fp8(matrix, "weight_scale_inv", rows, cols, weights, GROUP, GROUP, to);
      case NF4_NESTED -> {
        var sample = TableSample.of(rows, cols, weights);
        for (int i = 0; i < sample.scales().length; i++) {
          sample.scales()[i] = Math.round((sample.scales()[i] - 0.5f) * 16) / 16f + 0.5f;
        }
        sample.writeNested(matrix, to);
        yield sample.weights();
      }
    };
  }

  private static float[] gptq(
      int bits,
      int size,
      String matrix,
      int rows,
      float[] weights,
      boolean symmetric,
      MemoryCheckpoint to) {
    int[] index = IntegerSample.inOrder(weights.length / rows, size);
    var sample = IntegerSample.of(bits, rows, weights, index, symmetric);
    sample.gptq(matrix, true, bits != 3, to);
    return sample.weights();
  }

  private static float[] bytes(
      String matrix, int rows, int cols, float[] weights, MemoryCheckpoint to) {
    var sample = IntegerSample.of(8, rows, weights, IntegerSample.inOrder(cols, cols), true);
    new CompressedSample(sample, true).bytes(matrix, to);
    return sample.weights();
  }

  private static float[] fp8(
      String matrix,
      String scale,
      int rows,
      int cols,
      float[] weights,
      int blockRows,
      int blockCols,
      MemoryCheckpoint to) {
    var sample = Fp8Sample.of(rows, cols, weights, blockRows, blockCols);
    sample.write(matrix, scale, List.of(sample.scales().length, sample.scales()[0].length), to);
    return sample.weights();
  }

  /** {@code quantization_config}. */
  Map<String, Object> config() {
    var config = new LinkedHashMap<String, Object>();
    switch (this) {
      case GPTQ_4_ACT_ORDER -> {
        config.putAll(gptq(4, GROUP, "gptq"));
        config.put("desc_act", true);
        var dynamic = new LinkedHashMap<String, Object>();
        dynamic.put("-:model\\.layers\\.1\\.self_attn\\.o_proj", Map.of());
        dynamic.put("+:.*\\.down_proj", Map.of("bits", 8));
        config.put("dynamic", dynamic);
      }
      case GPTQ_3 -> config.putAll(gptq(3, -1, "gptq_v2"));
      case GPTQ_2 -> config.putAll(gptq(2, GROUP, "gptq_v2"));
      case GPTQ_8_HEAD -> {
        config.putAll(gptq(8, -1, "gptq_v2"));
        config.put("lm_head", true);
      }
      case GPTQ_4_MIXTURE -> config.putAll(gptq(4, GROUP, "gptq_v2"));
      case AWQ -> {
        config.put("quant_method", "awq");
        config.put("bits", 4);
        config.put("group_size", GROUP);
        config.put("zero_point", true);
        config.put("version", "gemm");
        config.put("modules_to_not_convert", null);
      }
      case COMPRESSED_PACKED -> {
        config.putAll(compressed("pack-quantized", "int", 4, "group"));
        config.put("ignore", List.of("lm_head", "re:.*self_attn.*"));
      }
      case COMPRESSED_BYTES -> config.putAll(compressed("int-quantized", "int", 8, "channel"));
      case COMPRESSED_ENDS -> {
        config.put("quant_method", "compressed-tensors");
        config.put("format", "pack-quantized");
        var codes = Map.of("num_bits", 4, "type", "int", "strategy", "group", "group_size", GROUP);
        var bytes = Map.of("num_bits", 8, "type", "int", "strategy", "channel");
        var tables =
            Map.of("targets", List.of("Embedding"), "weights", bytes, "format", "int-quantized");
        var groups = new LinkedHashMap<String, Object>();
        groups.put("group_0", Map.of("targets", List.of("Linear"), "weights", codes));
        groups.put("group_1", tables);
        config.put("config_groups", groups);
      }
      case COMPRESSED_FLOATS -> config.putAll(compressed("float-quantized", "float", 8, "channel"));
      case FP8_TENSOR -> config.put("quant_method", "fp8");
      case FP8_BLOCKS -> {
        config.put("quant_method", "fp8");
        config.put("weight_block_size", List.of(GROUP, GROUP));
      }
      case NF4_NESTED -> {
        config.put("quant_method", "bitsandbytes");
        config.put("load_in_4bit", true);
        config.put("llm_int8_skip_modules", List.of("lm_head"));
      }
    }
    return config;
  }

  private static Map<String, Object> compressed(
      String format, String type, int bits, String strategy) {
    return CompressedSample.config(
        format,
        Map.of(
            "num_bits", bits,
            "type", type,
            "strategy", strategy,
            "group_size", strategy.equals("group") ? GROUP : -1,
            "symmetric", !strategy.equals("group")));
  }

  private static Map<String, Object> gptq(int bits, int size, String format) {
    return Map.of(
        "quant_method", "gptq", "bits", bits, "group_size", size, "checkpoint_format", format);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
