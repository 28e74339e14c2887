package dev.millrace.loadtest;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;

/**
 * Sends one streamed completion over a connection of its own and times what comes back. It never
 * repeats a request. Safe for any number of threads; a call blocks its (virtual) thread.
 */
final class CompletionClient {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Target target;

  CompletionClient(Target target) {
    this.target = target;
  }

  /** Sends now what was due at {@code scheduled}. */
  Outcome send(CompletionCall call, long scheduled) {
    long sent = System.nanoTime();
    long deadline = scheduled + target.timeout().toNanos();
    try (var socket = new Socket()) {
      try {
        socket.setTcpNoDelay(true);
        socket.connect(
            new InetSocketAddress(target.host(), target.port()),
            Math.clamp((deadline - sent) / 1_000_000, 1, Integer.MAX_VALUE));
      } catch (IOException e) {
        return failed(scheduled, sent, FailureKind.CONNECT, e.toString());
      }
      return exchange(socket, call, scheduled, sent, deadline);
    } catch (SocketTimeoutException _) {
      String message = "not complete after " + target.timeout().toMillis() + " ms";
      return failed(scheduled, sent, FailureKind.TIMEOUT, message);
    } catch (IOException e) {
      return failed(scheduled, sent, FailureKind.BROKEN_STREAM, e.toString());
    }
  }

  private Outcome exchange(
      Socket socket, CompletionCall call, long scheduled, long sent, long deadline)
      throws IOException {
    socket.getOutputStream().write(request(call));
    var in = new StampedInput(socket, deadline);
    var head = ResponseHead.read(in);
    var body = new ResponseBody(in, head);
    if (head.status() != 200) {
      String message = head.status() + " " + body.start(300);
      return failed(scheduled, sent, FailureKind.STATUS, message);
    }
    if (!head.isEventStream()) {
      return failed(
          scheduled, sent, FailureKind.BROKEN_STREAM, "the answer is no event stream: " + head);
    }
    var transcript = new Transcript();
    var events = new EventReader(body);
    for (var event = events.next(); event != null; event = events.next()) {
      if (event.data().equals("[DONE]")) {
        return transcript.outcome(call, scheduled, sent, event.stamp());
      }
      transcript.add(CompletionChunk.parse(event.data()), event.stamp());
    }
    return failed(
        scheduled, sent, FailureKind.BROKEN_STREAM, "the stream ended without data: [DONE]");
  }

  private byte[] request(CompletionCall call) {
    var json = JSON.createObjectNode();
    json.put("model", target.model());
    var prompt = json.putArray("prompt");
    for (int id : call.prompt()) {
      prompt.add(id);
    }
    json.put("max_tokens", call.outputTokens());
    json.put("temperature", 0);
    json.put("ignore_eos", true);
    json.put("stream", true);
    json.putObject("stream_options").put("include_usage", true);
    target.fields().forEach(json::putPOJO);
    byte[] body = json.toString().getBytes(StandardCharsets.UTF_8);
    byte[] head =
        """
        POST %s/v1/completions HTTP/1.1
        Host: %s:%d
        Content-Type: application/json
        Content-Length: %d
        Accept: text/event-stream
        Connection: close

        """
            .formatted(target.path(), target.host(), target.port(), body.length)
            .replace("\n", "\r\n")
            .getBytes(StandardCharsets.US_ASCII);
    // one write, one packet: the head must not wait for an acknowledgement before the body follows
    byte[] all = new byte[head.length + body.length];
    System.arraycopy(head, 0, all, 0, head.length);
    System.arraycopy(body, 0, all, head.length, body.length);
    return all;
  }

  private static Outcome failed(long scheduled, long sent, FailureKind kind, String message) {
    return new Outcome.Failed(scheduled, sent, System.nanoTime(), kind, message);
  }
}
