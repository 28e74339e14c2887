package dev.millrace.cuda;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Sizes of a model that is measured with random weights, and the least time that its steps take.
 *
 * @param family as a {@code config.json} calls it
 * @param inner width of the feed-forward layer
 */
record BenchShape(
    String family,
    int hidden,
    int inner,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int vocabulary) {
  /** Of an H200, measured: bytes per second read and written, BF16 operations per second. */
  private static final double BANDWIDTH = 4.3e12;

  private static final double RATE = 790e12;

  /**
   * Llama-3.1-8B, or Qwen2.5-7B where {@code millrace.shape} says {@code qwen2.5-7b}; with fewer
   * layers where {@code millrace.layers} says so, for a profiler. On the simulation, a toy of that
   * family.
   */
  static BenchShape here() {
    var shape =
        switch (System.getProperty("millrace.shape", "llama3.1-8b")) {
          case "llama3.1-8b" -> new BenchShape("llama", 4096, 14_336, 32, 32, 8, 128, 128_256);
          case "qwen2.5-7b" -> new BenchShape("qwen2", 3584, 18_944, 28, 28, 4, 128, 152_064);
          case String other -> throw new IllegalArgumentException("no shape " + other);
        };
    return SuitePart.simulated()
        ? new BenchShape(shape.family, 64, 96, 2, 2, 1, 64, 64)
        : shape.layers(Integer.getInteger("millrace.layers", shape.layers));
  }

  private BenchShape layers(int count) {
    return new BenchShape(family, hidden, inner, count, heads, kvHeads, headDim, vocabulary);
  }

  private double projections() {
    double attention = 2.0 * hidden * headDim * (heads + kvHeads);
    return layers * (attention + 3.0 * hidden * inner);
  }

  private double head() {
    return (double) hidden * vocabulary;
  }

  /**
   * Seconds that a step takes at least: bytes of weights and cache at the bandwidth of copies, or
   * operations at the card's rate.
   *
   * @param bytes of a number of a projection
   * @param cached tokens whose keys and values are read
   */
  double floor(double bytes, int rows, double cached) {
    double read = (bytes * projections() + Short.BYTES * head()) / BANDWIDTH;
    double products = Math.max(read, 2 * rows * (projections() + head()) / RATE);
    return products + cached * 4.0 * layers * kvHeads * headDim / BANDWIDTH;
  }

  /** Bytes of the codes of four bits of the largest projection, and of their scales. */
  long codeBytes() {
    return (long) hidden * inner;
  }

  ObjectNode config() {
    var config = new ObjectMapper().createObjectNode();
    config.put("model_type", family).put("hidden_act", "silu").put("rms_norm_eps", 1e-5);
    config.put("hidden_size", hidden).put("intermediate_size", inner);
    config.put("num_hidden_layers", layers).put("vocab_size", vocabulary);
    config.put("num_attention_heads", heads).put("num_key_value_heads", kvHeads);
    config.put("head_dim", headDim).put("max_position_embeddings", 4096);
    return config.put("tie_word_embeddings", false).put("rope_theta", 500_000);
  }
}
