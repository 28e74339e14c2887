package dev.millrace.engine.kv;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Where a chain of cached blocks begins: only sequences of the same root share blocks. A cache
 * belongs to one model in one quantization, so a root need not name them.
 *
 * @param id negative or 0; contents of blocks have ids above 0
 */
public record CacheRoot(long id) {
  /** What everybody shares. */
  public static final CacheRoot SHARED = new CacheRoot(0);

  public CacheRoot {
    if (id > 0) {
      throw new IllegalArgumentException("root " + id);
    }
  }

  /** Shared by those who know the salt; an empty salt is everybody's. */
  public static CacheRoot ofSalt(String salt) {
    if (salt.isEmpty()) {
      return SHARED;
    }
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(salt.getBytes(StandardCharsets.UTF_8));
      return new CacheRoot(ByteBuffer.wrap(digest).getLong() | Long.MIN_VALUE);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** Shared by the answers to one request alone. */
  public static CacheRoot ofRequest(long request) {
    return new CacheRoot(-request);
  }
}
