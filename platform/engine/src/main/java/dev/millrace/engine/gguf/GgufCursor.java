package dev.millrace.engine.gguf;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Reads numbers and strings of a file one after the other, never beyond its end. One thread. */
final class GgufCursor {
  /** Longer than any vocabulary's longest token, template or licence. */
  private static final int LONGEST_STRING = 1 << 24;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path path;
  private final MemorySegment file;
  private long position;

  GgufCursor(Path path, MemorySegment file) {
    this.path = path;
    this.file = file;
  }

  long position() {
    return position;
  }

  long remaining() {
    return file.byteSize() - position;
  }

  byte readByte(String what) {
    return file.get(ValueLayout.JAVA_BYTE, advance(Byte.BYTES, what));
  }

  short readShort(String what) {
    return file.get(SHORT, advance(Short.BYTES, what));
  }

  int readInt(String what) {
    return file.get(INT, advance(Integer.BYTES, what));
  }

  long readLong(String what) {
    return file.get(LONG, advance(Long.BYTES, what));
  }

  /**
   * The number of things that follow.
   *
   * @param leastBytes that each of them takes at least
   */
  int readCount(String what, long largest, int leastBytes) {
    long count = readLong(what);
    long room = Math.min(largest, remaining() / leastBytes);
    if (count < 0 || count > room) {
      throw damaged(
          "%s says %s; here it can be at most %d"
              .formatted(what, Long.toUnsignedString(count), room));
    }
    return (int) count;
  }

  /** A string; bytes that are not UTF-8 become U+FFFD. */
  String readText(String what) {
    int length = readCount("the length of " + what, LONGEST_STRING, 1);
    var bytes = file.asSlice(advance(length, what), length).toArray(ValueLayout.JAVA_BYTE);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private long advance(long bytes, String what) {
    if (remaining() < bytes) {
      throw damaged(
          "ends at byte %d, inside %s; it may be cut off: fetch it again"
              .formatted(file.byteSize(), what));
    }
    long at = position;
    position += bytes;
    return at;
  }

  InferenceException damaged(String what) {
    return new InferenceException(ErrorCode.INVALID_CHECKPOINT, path + " " + what);
  }
}
