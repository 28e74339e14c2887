package dev.millrace.engine.quantize;

import dev.millrace.engine.device.NormWeights;
import dev.millrace.engine.load.FloatCodec;
import dev.millrace.spi.quant.Checkpoint;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/** Divides what norms give, by way of their stored weights. */
final class NormDivision {
  private final Checkpoint source;
  private final Map<String, float[]> renewed = new HashMap<>();

  NormDivision(Checkpoint source) {
    this.source = source;
  }

  /** The new numbers of tensors, by their names. */
  Map<String, float[]> renewed() {
    return renewed;
  }

  /**
   * Divides what a norm gives.
   *
   * @param by number by number; afterwards what it is divided by in truth, as stored weights are
   *     rounded
   * @return false, and nothing done, if its weights are not known or already divided
   */
  boolean divide(NormWeights norm, float[] by) {
    String name = norm.name();
    if (!source.has(name) || renewed.containsKey(name)) {
      return false;
    }
    var codec = codec(name);
    float[] stored = new float[by.length];
    for (int i = 0; i < by.length; i++) {
      float weight = norm.weight()[i];
      stored[i] = codec.round(weight / by[i] - norm.offset());
      float now = stored[i] + norm.offset();
      if (weight != 0 && now != 0) {
        by[i] = weight / now;
      }
    }
    renewed.put(name, stored);
    float[] bias = norm.bias();
    if (bias != null) {
      float[] smaller = bias.clone();
      for (int i = 0; i < by.length; i++) {
        smaller[i] /= by[i];
      }
      renewed.put(name.substring(0, name.length() - "weight".length()) + "bias", smaller);
    }
    return true;
  }

  private FloatCodec codec(String name) {
    return Objects.requireNonNull(FloatCodec.of(source.tensor(name).dtype()), name);
  }

  /** Writes the new numbers over the copied ones. */
  void write(TensorFile file) {
    renewed.forEach(
        (name, values) -> codec(name).encode(values, values.length, file.tensor(name), 0));
  }
}
