package dev.millrace.spi.tensor;

import org.jspecify.annotations.Nullable;

/**
 * A normalisation over the last dimension.
 *
 * @param weight [width]
 * @param bias [width], or null
 * @param eps added to the mean square (RMS) or the variance (LAYER)
 * @param offset added to each weight: 1 for families that store weight − 1
 */
public record Norm(Kind kind, Tensor weight, @Nullable Tensor bias, float eps, float offset) {
  /** Which statistics are used. */
  public enum Kind {
    /** x / sqrt(mean(x²) + eps). */
    RMS,
    /** (x − mean(x)) / sqrt(var(x) + eps). */
    LAYER
  }

  /** The usual norm of Llama-like families. */
  public static Norm rms(Tensor weight, float eps) {
    return new Norm(Kind.RMS, weight, null, eps, 0);
  }
}
