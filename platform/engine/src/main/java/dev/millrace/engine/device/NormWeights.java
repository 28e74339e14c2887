package dev.millrace.engine.device;

import dev.millrace.spi.tensor.Norm;
import org.jspecify.annotations.Nullable;

/**
 * A norm with its weights at hand.
 *
 * @param weight what each number is multiplied with; the norm's offset is already added
 * @param bias what is added then, or null
 */
public record NormWeights(Norm.Kind kind, float[] weight, float @Nullable [] bias, float eps) {}
