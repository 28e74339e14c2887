package dev.millrace.spi.tensor;

/**
 * Rotary position embedding, with every scaling already worked into its frequencies by the model
 * plugin. Of a head, the first {@code 2 · inverseFrequencies.length} numbers are rotated.
 *
 * @param inverseFrequencies radians per position, one for each rotated pair
 * @param attentionFactor multiplies sine and cosine (YaRN's temperature); 1 without scaling
 * @param interleaved false: element i is paired with i + n (Hugging Face); true: 2i with 2i + 1
 * @see <a href="https://arxiv.org/abs/2104.09864">RoFormer</a>
 */
public record Rope(float[] inverseFrequencies, float attentionFactor, boolean interleaved) {
  public Rope {
    if (inverseFrequencies.length == 0) {
      throw new IllegalArgumentException("a rope needs at least one frequency");
    }
    inverseFrequencies = inverseFrequencies.clone();
  }

  @Override
  public float[] inverseFrequencies() {
    return inverseFrequencies.clone();
  }
}
