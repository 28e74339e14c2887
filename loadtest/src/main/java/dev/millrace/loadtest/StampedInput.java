package dev.millrace.loadtest;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketTimeoutException;

/**
 * A socket's bytes, each known by the time its read returned, under one deadline for the whole
 * answer. For one thread.
 */
final class StampedInput {
  private static final int LONGEST_LINE = 64 * 1024;

  private final Socket socket;
  private final InputStream in;
  private final long deadline;
  private final byte[] buffer = new byte[8192];
  private int position;
  private int limit;
  private long stamp;

  StampedInput(Socket socket, long deadline) throws IOException {
    this.socket = socket;
    this.in = socket.getInputStream();
    this.deadline = deadline;
  }

  /** The next byte, or -1 at the end. */
  int read() throws IOException {
    if (position == limit && !fill()) {
      return -1;
    }
    return buffer[position++] & 0xff;
  }

  /** When the byte read last came from the socket. */
  long stamp() {
    return stamp;
  }

  /** A line of the HTTP framing, without its CR LF. */
  String line() throws IOException {
    var line = new StringBuilder(80);
    for (int b = read(); b != '\n'; b = read()) {
      if (b < 0) {
        throw new EOFException("the connection ended within a line of the HTTP framing");
      }
      if (line.length() == LONGEST_LINE) {
        throw new ProtocolException("a line of the HTTP framing passes " + LONGEST_LINE + " bytes");
      }
      line.append((char) b);
    }
    int length = line.length();
    if (length > 0 && line.charAt(length - 1) == '\r') {
      line.setLength(length - 1);
    }
    return line.toString();
  }

  private boolean fill() throws IOException {
    long left = (deadline - System.nanoTime()) / 1_000_000;
    if (left <= 0) {
      throw new SocketTimeoutException("the time limit of the request has passed");
    }
    socket.setSoTimeout((int) Math.min(left, Integer.MAX_VALUE));
    int count = in.read(buffer);
    stamp = System.nanoTime();
    position = 0;
    limit = Math.max(count, 0);
    return count > 0;
  }
}
