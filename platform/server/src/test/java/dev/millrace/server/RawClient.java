package dev.millrace.server;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** A client on a bare socket, for what no client library does on purpose. */
final class RawClient implements AutoCloseable {
  private final Socket socket;

  RawClient(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
  }

  /** Sends a request with a body, or with an empty one without. */
  void send(String method, String path, String body) throws IOException {
    write("%s %s HTTP/1.1\r\nHost: x\r\n".formatted(method, path));
    write("Content-Type: application/json\r\n");
    write("Content-Length: %d\r\n\r\n%s".formatted(body.length(), body));
  }

  /** Sends the body in two chunks. */
  void sendChunked(String path, String body) throws IOException {
    int half = body.length() / 2;
    write("POST %s HTTP/1.1\r\nHost: x\r\n".formatted(path));
    write("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (var part : new String[] {body.substring(0, half), body.substring(half), ""}) {
      write(Integer.toHexString(part.length()) + "\r\n" + part + "\r\n");
    }
  }

  /** Sends a request but only so many bytes of its body. */
  void sendBytes(String path, byte[] body, int count) throws IOException {
    write("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n".formatted(path));
    write("Content-Length: %d\r\n\r\n".formatted(body.length));
    socket.getOutputStream().write(body, 0, count);
  }

  /** Reads one response to its end and leaves the connection open. */
  String read() throws IOException {
    var head = readTo("\r\n\r\n");
    if (head.contains("Transfer-Encoding: chunked")) {
      return head + readTo("\r\n0\r\n\r\n");
    }
    var length = head.replaceAll("(?s).*Content-Length: (\\d+).*", "$1");
    byte[] body = socket.getInputStream().readNBytes(Integer.parseInt(length));
    return head + new String(body, StandardCharsets.UTF_8);
  }

  private String readTo(String end) throws IOException {
    InputStream in = socket.getInputStream();
    var text = new StringBuilder();
    while (text.lastIndexOf(end) < 0) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("the server closed the connection after: " + text);
      }
      text.append((char) next);
    }
    return text.toString();
  }

  /** Leaves as a process does that is killed with unread data, or whose machine is in haste. */
  void reset() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  private void write(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }
}
