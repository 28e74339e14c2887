package dev.millrace.engine.device;

import dev.millrace.spi.tensor.Norm;
import org.jspecify.annotations.Nullable;

/**
 * A norm with its weights at hand.
 *
 * @param name of the tensor that the weight was read from
 * @param weight what each number is multiplied with; the norm's offset is already added
 * @param offset what the stored weight lacks
 * @param bias what is added then, or null
 */
public record NormWeights(
    String name,
    Norm.Kind kind,
    float[] weight,
    float @Nullable [] bias,
    float eps,
    float offset) {}
