package dev.millrace.models;

import dev.millrace.spi.model.ModelConfig;
import dev.millrace.spi.tensor.Norm;

/**
 * How a family spells what {@link Shape} reads, and what it assumes where the file says nothing.
 *
 * @param normOffset added to each weight of a norm
 * @param tied whether the head is the embeddings
 */
record Dialect(
    Norm.Kind normKind,
    float normOffset,
    String epsKey,
    double eps,
    String activationKey,
    String activation,
    boolean tied) {

  /** Llama's, with the family's own default of {@code rms_norm_eps}. */
  static Dialect llama(double eps) {
    return new Dialect(Norm.Kind.RMS, 0, "rms_norm_eps", eps, "hidden_act", "silu", false);
  }

  NormStyle norms(ModelConfig config) {
    return new NormStyle(normKind, (float) config.real(epsKey, eps), normOffset);
  }
}
