package dev.millrace.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stands in for {@code millrace serve} in a process of its own. With {@code --die} it ends at once,
 * with {@code --break N} every Nth completion is cut off.
 */
final class FakeServer {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long READY_AFTER_MILLIS = 300;

  private final List<String> arguments;
  private final long started = System.nanoTime();
  private final AtomicInteger completions = new AtomicInteger();

  private FakeServer(List<String> arguments) {
    this.arguments = arguments;
  }

  public static void main(String[] arguments) throws IOException {
    var server = new FakeServer(List.of(arguments));
    System.out.println("fake server: " + String.join(" ", arguments));
    if (server.arguments.contains("--die")) {
      System.out.println("no such model");
      System.exit(3);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("stopped")));
    server.serve();
  }

  private void serve() throws IOException {
    int port = Integer.parseInt(option("--port", "0"));
    var http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    http.createContext("/health", this::health);
    http.createContext("/v1/models", FakeServer::models);
    http.createContext("/v1/completions", this::complete);
    http.start();
  }

  private String option(String name, String otherwise) {
    int at = arguments.indexOf(name);
    return at < 0 ? otherwise : arguments.get(at + 1);
  }

  private void health(HttpExchange exchange) throws IOException {
    boolean ready = System.nanoTime() - started > READY_AFTER_MILLIS * 1_000_000;
    exchange.sendResponseHeaders(ready ? 200 : 503, -1);
    exchange.close();
  }

  private static void models(HttpExchange exchange) throws IOException {
    byte[] body = bytes("{\"data\":[{\"id\":\"fake\",\"max_model_len\":256}]}");
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private void complete(HttpExchange exchange) throws IOException {
    JsonNode request = JSON.readTree(exchange.getRequestBody());
    int tokens = request.path("max_tokens").asInt();
    int every = Integer.parseInt(option("--break", "0"));
    boolean broken = every > 0 && completions.incrementAndGet() % every == 0;
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.sendResponseHeaders(200, 0);
    try (var out = exchange.getResponseBody()) {
      for (int i = 0; i < tokens; i++) {
        out.write(bytes("data: {\"choices\":[{\"text\":\"t\"}]}\n\n"));
        out.flush();
      }
      if (!broken) {
        out.write(bytes("data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"length\"}]}\n\n"));
        out.write(
            bytes(
                "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d}}\n\n"
                    .formatted(request.path("prompt").size(), tokens)));
        out.write(bytes("data: [DONE]\n\n"));
      }
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
