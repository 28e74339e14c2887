package dev.millrace.quantizers;

import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.MemoryCheckpoint;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Writes integers as compressed-tensors has them. */
record CompressedSample(IntegerSample sample, boolean symmetric) {
  /** A {@code quantization_config} of one group for all linears. */
  static Map<String, Object> config(String format, Map<String, Object> weights) {
    var config = new HashMap<String, Object>();
    config.put("quant_method", "compressed-tensors");
    config.put("format", format);
    config.put("ignore", List.of("lm_head"));
    config.put(
        "config_groups",
        Map.of("group_0", Map.of("targets", List.of("Linear"), "weights", weights)));
    return config;
  }

  /** The config group's {@code weights}. */
  Map<String, Object> weights() {
    boolean channel = sample.groups() == 1;
    var weights = new HashMap<String, Object>();
    weights.put("num_bits", sample.bits());
    weights.put("type", "int");
    weights.put("symmetric", symmetric);
    weights.put("strategy", channel ? "channel" : "group");
    if (!channel) {
      weights.put("group_size", sample.cols() / sample.groups());
    }
    return weights;
  }

  MemoryCheckpoint packed(String matrix, boolean withIndex, MemoryCheckpoint to) {
    int bits = sample.bits();
    int words = Math.ceilDiv(sample.cols() * bits, 32);
    to.bytes(
            matrix + ".weight_packed",
            DType.I32,
            List.of(sample.rows(), words),
            IntegerSample.streams(sample.codes(), bits))
        .bytes(
            matrix + ".weight_shape", DType.I64, List.of(2), longs(sample.rows(), sample.cols()));
    scales(matrix, to);
    if (!symmetric) {
      int down = Math.ceilDiv(sample.rows() * bits, 32);
      int[][] byGroup = new int[sample.groups()][sample.rows()];
      for (int i = 0; i < sample.groups() * sample.rows(); i++) {
        byGroup[i % sample.groups()][i / sample.groups()] =
            sample.zeros()[i / sample.groups()][i % sample.groups()];
      }
      to.bytes(
          matrix + ".weight_zero_point",
          DType.I32,
          List.of(down, sample.groups()),
          IntegerSample.transposed(byGroup, bits));
    }
    return withIndex
        ? to.bytes(
            matrix + ".weight_g_idx",
            DType.I32,
            List.of(sample.cols()),
            IntegerSample.words(sample.index()))
        : to;
  }

  /** Signed bytes; the sample is one of 8 bits. */
  MemoryCheckpoint bytes(String matrix, MemoryCheckpoint to) {
    byte[] bytes = new byte[sample.rows() * sample.cols()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (sample.codes()[i / sample.cols()][i % sample.cols()] - 128);
    }
    to.bytes(matrix + ".weight", DType.I8, List.of(sample.rows(), sample.cols()), bytes);
    scales(matrix, to);
    if (!symmetric) {
      byte[] zeros = new byte[sample.rows() * sample.groups()];
      for (int i = 0; i < zeros.length; i++) {
        zeros[i] = (byte) (sample.zeros()[i / sample.groups()][i % sample.groups()] - 128);
      }
      to.bytes(
          matrix + ".weight_zero_point", DType.I8, List.of(sample.rows(), sample.groups()), zeros);
    }
    return to;
  }

  private void scales(String matrix, MemoryCheckpoint to) {
    float[] all = new float[sample.rows() * sample.groups()];
    for (int i = 0; i < all.length; i++) {
      all[i] = sample.scales()[i / sample.groups()][i % sample.groups()];
    }
    to.floats(matrix + ".weight_scale", DType.F16, List.of(sample.rows(), sample.groups()), all);
  }

  static byte[] longs(long... numbers) {
    var out = ByteBuffer.allocate(8 * numbers.length).order(ByteOrder.LITTLE_ENDIAN);
    for (long number : numbers) {
      out.putLong(number);
    }
    return out.array();
  }
}
