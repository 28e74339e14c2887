package dev.millrace.loadtest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A server that answers each request by the same script; the script may stall, break or lie. */
final class ScriptedServer implements AutoCloseable {
  /** What to send for a request; the connection closes when it returns. */
  interface Script {
    void run(JsonNode request, Reply reply) throws IOException, InterruptedException;
  }

  private static final ObjectMapper JSON = new ObjectMapper();

  private final ServerSocket listener;
  private final Script script;
  private final List<JsonNode> requests = new CopyOnWriteArrayList<>();
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger mostOpen = new AtomicInteger();

  ScriptedServer(Script script) {
    this.script = script;
    try {
      listener = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  Target target(Duration timeout) {
    return new Target(URI.create("http://localhost:" + listener.getLocalPort()), "m", timeout);
  }

  Target target() {
    return target(Duration.ofSeconds(30));
  }

  /** All requests so far, in the order they came. */
  List<JsonNode> requests() {
    return List.copyOf(requests);
  }

  int mostOpen() {
    return mostOpen.get();
  }

  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept() {
    try {
      while (true) {
        var socket = listener.accept();
        Thread.ofVirtual().start(() -> answer(socket));
      }
    } catch (IOException _) {
      // closed
    }
  }

  private void answer(Socket socket) {
    mostOpen.accumulateAndGet(open.incrementAndGet(), Math::max);
    try (socket) {
      var request = JSON.readTree(body(socket.getInputStream()));
      requests.add(request);
      script.run(request, new Reply(socket.getOutputStream()));
    } catch (SocketException _) {
      // the client has gone, as some tests want
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      open.decrementAndGet();
    }
  }

  private static byte[] body(InputStream in) throws IOException {
    var head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int b = in.read();
      if (b < 0) {
        throw new SocketException("no request");
      }
      head.append((char) b);
    }
    var length = head.substring(head.indexOf("Content-Length: ") + 16);
    return in.readNBytes(Integer.parseInt(length.substring(0, length.indexOf('\r'))));
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
