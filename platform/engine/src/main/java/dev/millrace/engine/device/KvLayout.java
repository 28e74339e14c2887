package dev.millrace.engine.device;

/**
 * Size of a paged KV cache.
 *
 * @param blocks of the cache
 * @param blockSize tokens per block
 * @param dtype how keys and values are stored
 */
public record KvLayout(int blocks, int blockSize, KvDtype dtype) {
  public KvLayout {
    if (blocks < 1 || blockSize < 1) {
      throw new IllegalArgumentException(blocks + " blocks of " + blockSize + " tokens");
    }
  }
}
