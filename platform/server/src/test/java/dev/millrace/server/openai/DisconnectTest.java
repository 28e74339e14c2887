package dev.millrace.server.openai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.millrace.server.TestServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

@Timeout(60)
class DisconnectTest {
  private static final TestServer SERVER = TestServer.shared();

  private static double metric(String name) {
    return SERVER.http().metric(name);
  }

  private static Socket ask(int tokens, boolean stream) throws IOException {
    return ask(1, tokens, stream);
  }

  private static Socket ask(int choices, int tokens, boolean stream) throws IOException {
    var body =
        "{\"prompt\":\"a\",\"n\":%d,\"max_tokens\":%d,\"ignore_eos\":true,\"stream\":%s}"
            .formatted(choices, tokens, stream);
    var socket = new Socket(InetAddress.getLoopbackAddress(), SERVER.port());
    socket
        .getOutputStream()
        .write(
            ("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    + "Content-Length: "
                    + body.length()
                    + "\r\n\r\n"
                    + body)
                .getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void clientThatLeavesEndsItsRequest(boolean stream) throws Exception {
    double before = metric("vllm:request_success_total{finished_reason=\"abort\"");
    var errors = new ListAppender<ILoggingEvent>();
    errors.start();
    var root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    root.addAppender(errors);
    var client = ask(4000, stream);
    while (metric("vllm:num_requests_running") < 1) {
      Thread.sleep(5);
    }
    client.setSoLinger(true, 0); // a reset: the first write fails
    client.close();
    while (metric("vllm:request_success_total{finished_reason=\"abort\"") == before) {
      Thread.sleep(5);
    }
    while (metric("vllm:num_requests_running") > 0) {
      Thread.sleep(5);
    }
    Thread.sleep(50); // the response is written after the count
    root.detachAppender(errors);
    assertEquals(List.of(), errors.list.stream().filter(e -> e.getLevel() == Level.ERROR).toList());
  }

  @Test
  void clientThatSaysMoreIsStillSeenToLeave() throws Exception {
    double before = metric("vllm:request_success_total{finished_reason=\"abort\"");
    var client = ask(8, 4000, false); // longer than the pause below
    while (metric("vllm:num_requests_running") < 1) {
      Thread.sleep(5);
    }
    client.getOutputStream().write("\r\n".getBytes(StandardCharsets.US_ASCII));
    Thread.sleep(300);
    client.close();
    while (metric("vllm:request_success_total{finished_reason=\"abort\"") == before) {
      Thread.sleep(5);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void requestSentAheadLeavesTheAnswerWhole(boolean stream) throws Exception {
    try (var client = ask(400, stream)) {
      // answered after the first if it was read with it, else to be sent again
      var ahead = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
      client.getOutputStream().write(ahead.getBytes(StandardCharsets.US_ASCII));
      var answer = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(answer.startsWith("HTTP/1.1 200 OK"), answer);
      assertTrue(answer.contains("\"finish_reason\":\"length\""), answer);
    }
  }
}
