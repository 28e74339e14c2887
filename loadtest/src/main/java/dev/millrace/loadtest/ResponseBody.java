package dev.millrace.loadtest;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;

/**
 * The bytes of an answer's body with the transfer framing taken off: chunks, a length, or all until
 * the connection closes. A body that ends early is an {@link EOFException}. For one thread.
 */
final class ResponseBody {
  private enum Framing {
    CHUNKED,
    LENGTH,
    UNTIL_CLOSE
  }

  private final StampedInput in;
  private final Framing framing;

  /** Bytes left in the chunk or the body. */
  private long left;

  private boolean firstChunk = true;
  private boolean ended;

  ResponseBody(StampedInput in, ResponseHead head) throws IOException {
    this.in = in;
    String length = head.fields().get("content-length");
    if (head.chunked()) {
      framing = Framing.CHUNKED;
    } else if (length != null) {
      framing = Framing.LENGTH;
      left = parse(length, 10);
    } else {
      framing = Framing.UNTIL_CLOSE;
    }
  }

  /** The next byte of the body, or -1 at its proper end. */
  int read() throws IOException {
    return switch (framing) {
      case UNTIL_CLOSE -> in.read();
      case LENGTH -> left == 0 ? -1 : readCounted();
      case CHUNKED -> ended || (left == 0 && !openChunk()) ? -1 : readCounted();
    };
  }

  /** When the byte read last came from the socket. */
  long stamp() {
    return in.stamp();
  }

  /** Up to {@code most} bytes as text, for a message: whatever can be had. */
  String start(int most) {
    var bytes = new ByteArrayOutputStream(most);
    try {
      for (int b = read(); b >= 0 && bytes.size() < most; b = read()) {
        bytes.write(b);
      }
    } catch (IOException _) {
      // the caller reports another error; this text is a courtesy
    }
    return bytes.toString(StandardCharsets.UTF_8).strip();
  }

  private int readCounted() throws IOException {
    int b = in.read();
    if (b < 0) {
      throw new EOFException("the connection ended with " + left + " bytes still to come");
    }
    left--;
    return b;
  }

  /**
   * Reads a chunk's size line. The line end after the chunk before is taken here, not with that
   * chunk's last byte, so that an event is never held up for it.
   */
  private boolean openChunk() throws IOException {
    if (!firstChunk && !in.line().isEmpty()) {
      throw new ProtocolException("a chunk is longer than its size line said");
    }
    firstChunk = false;
    String size = in.line();
    int extension = size.indexOf(';');
    left = parse((extension < 0 ? size : size.substring(0, extension)).strip(), 16);
    if (left > 0) {
      return true;
    }
    ended = true;
    while (!in.line().isEmpty()) {
      // trailer fields mean nothing here
    }
    return false;
  }

  private static long parse(String digits, int radix) throws IOException {
    try {
      long value = Long.parseLong(digits, radix);
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException _) {
      // said below
    }
    throw new ProtocolException("not a length of a body or chunk: " + digits);
  }
}
