package dev.millrace.models;

import dev.millrace.spi.tensor.Rope;
import java.util.List;

/**
 * LongRoPE: each frequency has a factor of its own, one for contexts as long as trained and one for
 * longer ones. The model's length decides between the two, once: cached keys stay valid while a
 * sequence grows. (transformers decides by the sequence's length, so it computes otherwise for
 * short sequences of a long model.)
 *
 * @see <a href="https://arxiv.org/abs/2402.13753">LongRoPE</a>
 */
record LongRope(RopeSettings settings) {
  Rope rope() {
    boolean longer = settings.maxContext() > settings.trainedContext();
    var factors = factors("short_factor");
    factors = longer ? factors("long_factor") : factors;
    float[] frequencies = new float[settings.rotated() / 2];
    for (int i = 0; i < frequencies.length; i++) {
      float power = (float) Math.pow(settings.theta(), 2f * i / settings.rotated());
      frequencies[i] = 1 / (factors.get(i).floatValue() * power);
    }
    return new Rope(frequencies, (float) temperature(), false);
  }

  private List<Double> factors(String key) {
    var factors = settings.scaling().reals(key);
    int pairs = settings.rotated() / 2;
    if (factors.size() != pairs || factors.stream().anyMatch(factor -> !(factor > 0))) {
      throw Shape.unsupported(
          "%s has %d entries; longrope needs %d, all above 0"
              .formatted(key, factors.size(), pairs));
    }
    return factors;
  }

  private double temperature() {
    double trained = settings.trainedContext();
    double factor = settings.scaling().real("factor", settings.maxContext() / trained);
    double implied = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(trained));
    return settings.scaling().real("attention_factor", implied);
  }
}
