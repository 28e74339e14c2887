package dev.millrace.server.openai;

/** Log-probabilities in JSON, which has no infinity. */
final class Logprob {
  private static final float LEAST = -9999;

  private Logprob() {}

  static float shown(float logprob) {
    return Math.max(LEAST, logprob);
  }
}
