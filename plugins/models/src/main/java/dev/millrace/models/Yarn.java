package dev.millrace.models;

import dev.millrace.spi.tensor.Rope;

/**
 * YaRN: frequencies that turn often in the trained length are kept, those that turn less than once
 * are slowed by the factor, a linear ramp lies between; sine and cosine are scaled by a
 * temperature.
 *
 * @see <a href="https://arxiv.org/abs/2309.00071">YaRN, sections 3.2 and 3.4</a>
 */
record Yarn(RopeSettings settings) {
  Rope rope(float[] plain) {
    double factor = settings.factor();
    double first = dimension(settings.scaling().real("beta_fast", 32));
    double last = dimension(settings.scaling().real("beta_slow", 1));
    if (settings.scaling().flag("truncate", true)) {
      first = Math.floor(first);
      last = Math.ceil(last);
    }
    first = Math.max(first, 0);
    last = Math.min(last, settings.rotated() - 1);
    double width = first == last ? 0.001 : last - first;
    float[] frequencies = new float[plain.length];
    for (int i = 0; i < plain.length; i++) {
      float kept = 1 - (float) Math.clamp((i - first) / width, 0, 1);
      frequencies[i] = (float) (plain[i] / factor) * (1 - kept) + plain[i] * kept;
    }
    return new Rope(frequencies, (float) temperature(factor), false);
  }

  /** The dimension whose pair turns so often within the trained length. */
  private double dimension(double turns) {
    double length = settings.trainedContext() / (turns * 2 * Math.PI);
    return settings.rotated() * Math.log(length) / (2 * Math.log(settings.theta()));
  }

  private double temperature(double factor) {
    var scaling = settings.scaling();
    if (scaling.has("attention_factor")) {
      return scaling.real("attention_factor", 1);
    }
    double all = scaling.real("mscale_all_dim", 0);
    double one = scaling.real("mscale", 0);
    return one != 0 && all != 0 ? growth(factor, one) / growth(factor, all) : growth(factor, 1);
  }

  private static double growth(double factor, double scale) {
    return factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1;
  }
}
