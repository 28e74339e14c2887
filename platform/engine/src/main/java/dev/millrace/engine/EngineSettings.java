package dev.millrace.engine;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;

/**
 * The limits of one engine.
 *
 * @param maxModelLen longest prompt and answer together, in tokens
 * @param maxNumSeqs sequences that run at once
 * @param maxNumBatchedTokens tokens of one step
 * @param blockSize tokens per KV block
 * @param blocks KV blocks
 * @param prefixCaching whether requests share the KV blocks of equal prompt beginnings
 * @param maxQueuedRequests requests that may wait
 * @param maxQueuedTokens prompt tokens that may wait
 */
public record EngineSettings(
    int maxModelLen,
    int maxNumSeqs,
    int maxNumBatchedTokens,
    int blockSize,
    int blocks,
    boolean prefixCaching,
    int maxQueuedRequests,
    int maxQueuedTokens) {

  public EngineSettings {
    positive("max-model-len", maxModelLen);
    positive("max-num-seqs", maxNumSeqs);
    positive("max-num-batched-tokens", maxNumBatchedTokens);
    positive("block-size", blockSize);
    positive("max-queued-requests", maxQueuedRequests);
    positive("max-queued-tokens", maxQueuedTokens);
    if ((long) blocks * blockSize < maxModelLen) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "%d KV blocks of %d tokens hold no sequence of max-model-len %d: lower max-model-len or raise the KV cache"
              .formatted(blocks, blockSize, maxModelLen));
    }
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION, name + " is " + value + ", it must be at least 1");
    }
  }
}
