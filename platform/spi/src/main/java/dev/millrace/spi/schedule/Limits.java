package dev.millrace.spi.schedule;

/**
 * What one step may hold.
 *
 * @param tokensPerStep {@code max-num-batched-tokens}
 * @param sequences {@code max-num-seqs}: sequences that may be running at once
 * @param blockSize tokens per KV block
 * @param totalBlocks KV blocks of the pool, free and held
 */
public record Limits(int tokensPerStep, int sequences, int blockSize, int totalBlocks) {
  public Limits {
    if (tokensPerStep < 1 || sequences < 1 || blockSize < 1 || totalBlocks < 1) {
      throw new IllegalArgumentException(
          "limits of %d tokens, %d sequences, %d tokens per block, %d blocks"
              .formatted(tokensPerStep, sequences, blockSize, totalBlocks));
    }
  }
}
