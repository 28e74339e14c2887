package dev.millrace.engine.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * What the name of a blob says about its content. A hub names large files by their SHA-256 and
 * small ones as git does: by the SHA-1 of {@code "blob SIZE\0"} and the content. Other servers may
 * name them at will, and then only their length can be checked.
 */
enum Digest {
  SHA256,
  GIT,
  NONE;

  private static final Pattern SHA256_NAME = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern GIT_NAME = Pattern.compile("[0-9a-f]{40}");
  private static final int BUFFER = 1 << 20;

  static Digest of(String etag) {
    if (SHA256_NAME.matcher(etag).matches()) {
      return SHA256;
    }
    return GIT_NAME.matcher(etag).matches() ? GIT : NONE;
  }

  /**
   * The name that the first bytes of a file have as a content; empty for {@code NONE}.
   *
   * @param size how many bytes
   */
  String name(Path file, long size) throws IOException, InterruptedException {
    if (this == NONE) {
      return "";
    }
    try (var channel = FileChannel.open(file)) {
      var digest = MessageDigest.getInstance(this == SHA256 ? "SHA-256" : "SHA-1");
      if (this == GIT) {
        digest.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
      }
      var buffer = ByteBuffer.allocate(BUFFER);
      long left = size;
      while (left > 0 && channel.read(buffer.limit((int) Math.min(BUFFER, left))) >= 0) {
        left -= buffer.position();
        digest.update(buffer.flip());
        buffer.clear();
        if (Thread.interrupted()) {
          throw new InterruptedException();
        }
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JDK has both
    }
  }
}
