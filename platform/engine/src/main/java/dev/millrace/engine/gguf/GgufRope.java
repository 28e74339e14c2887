package dev.millrace.engine.gguf;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;

/**
 * The rotary settings of a model, in the spelling of a {@code config.json}. Llama 3's scaling is
 * stored as the factor of each frequency, in a tensor; such factors are what {@code longrope} has.
 */
record GgufRope(GgufParts parts, GgufFamily family) {
  private static final String FACTORS = "rope_freqs.weight";
  private static final String LONG = "rope_factors_long.weight";
  private static final String SHORT = "rope_factors_short.weight";

  /** Whether a tensor is a table of factors, which nobody asks for as a weight. */
  static boolean isTable(String tensor) {
    return Set.of(FACTORS, LONG, SHORT).contains(tensor);
  }

  /** Sets the keys of the rope; {@code headDim} is the width of a head. */
  void describe(ObjectNode config, int headDim) {
    var metadata = parts.metadata();
    config.put("rope_theta", metadata.real(key("freq_base"), defaultBase()));
    int rotated = metadata.optionalInteger(key("dimension_count")).orElse(headDim);
    if (rotated != headDim) {
      // readers cut the product off; a little more keeps it from falling below
      config.put("partial_rotary_factor", (rotated + 0.25) / headDim);
    }
    if (family == GgufFamily.GEMMA3) {
      config.put("rope_local_base_freq", metadata.real(key("freq_base_swa"), 10_000));
    }
    var original = metadata.optionalInteger(key("scaling.original_context_length"));
    if (parts.has(FACTORS)) {
      factors(config, FACTORS, FACTORS).put("attention_factor", 1.0);
    } else if (parts.has(LONG) || parts.has(SHORT)) {
      var scaling = factors(config, LONG, SHORT);
      scaling.put("attention_factor", metadata.real(key("scaling.attn_factor"), 1));
      original.ifPresent(length -> config.put("original_max_position_embeddings", length));
    } else {
      scaled(config);
    }
  }

  private double defaultBase() {
    return family == GgufFamily.GEMMA3 ? 1e6 : 10_000;
  }

  private ObjectNode factors(ObjectNode config, String longer, String shorter) {
    var scaling = config.putObject("rope_scaling").put("rope_type", "longrope");
    for (float factor : parts.vector(longer)) {
      scaling.withArray("long_factor").add(factor);
    }
    for (float factor : parts.vector(shorter)) {
      scaling.withArray("short_factor").add(factor);
    }
    return scaling;
  }

  private void scaled(ObjectNode config) {
    var metadata = parts.metadata();
    String type = metadata.text(key("scaling.type"));
    if (type == null || type.equals("none")) {
      return;
    }
    if (!type.equals("linear") && !type.equals("yarn")) {
      throw metadata.unsupported(
          "%s is %s; known without tables of factors: none, linear, yarn"
              .formatted(key("scaling.type"), type));
    }
    var scaling = config.putObject("rope_scaling").put("rope_type", type);
    scaling.put("factor", metadata.real(key("scaling.factor"), 1));
    metadata
        .optionalInteger(key("scaling.original_context_length"))
        .ifPresent(length -> scaling.put("original_max_position_embeddings", length));
    real(scaling, "attention_factor", "scaling.yarn_attn_factor");
    real(scaling, "beta_fast", "scaling.yarn_beta_fast");
    real(scaling, "beta_slow", "scaling.yarn_beta_slow");
    if (metadata.has(key("scaling.yarn_truncate"))) {
      scaling.put("truncate", metadata.flag(key("scaling.yarn_truncate"), true));
    }
  }

  private void real(ObjectNode scaling, String name, String key) {
    if (parts.metadata().has(key(key))) {
      scaling.put(name, parts.metadata().real(key(key), 0));
    }
  }

  private String key(String name) {
    return family.architecture() + ".rope." + name;
  }
}
