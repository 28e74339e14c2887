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
 * Stands in for {@code millrace serve} in a process of its own, or for a peer in the test's. With
 * {@code --die} it ends at once; with {@code --break N} every Nth completion is cut off; with
 * {@code --lie N} every Nth has another text than at first. The scheduler {@code slow} makes each
 * token wait 30 ms, all others 1 ms.
 */
final class FakeServer {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long READY_AFTER_MILLIS = 300;

  private final List<String> arguments;
  private final long started = System.nanoTime();
  private final AtomicInteger completions = new AtomicInteger();
  private volatile String scheduler;

  FakeServer(List<String> arguments) {
    this.arguments = arguments;
    this.scheduler = option("--scheduler", "none");
  }

  public static void main(String[] arguments) throws IOException {
    var server = new FakeServer(List.of(arguments));
    System.out.println("fake server: " + String.join(" ", arguments));
    if (server.arguments.contains("--die")) {
      System.out.println("no such model");
      System.exit(3);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("stopped")));
    var _ = server.serve();
    server.serveAdmin();
  }

  /** Opens the port for requests. */
  HttpServer serve() throws IOException {
    var http = open("--port");
    http.createContext("/health", this::health);
    http.createContext(
        "/v1/models",
        exchange -> answer(exchange, "{\"data\":[{\"id\":\"fake\",\"max_model_len\":256}]}"));
    http.createContext(
        "/metrics",
        exchange ->
            answer(
                exchange,
                "# HELP x y\nvllm:num_requests_running{model_name=\"fake\"} 2.0\n"
                    + "vllm:generation_tokens_total{model_name=\"fake\"} "
                    + completions.get()
                    + "\nmillrace:kv_blocks{model_name=\"fake\"} 64.0\n"
                    + "millrace:kv_blocks_used{model_name=\"fake\"} 5.0\n"
                    + "millrace:kv_blocks_reserved{model_name=\"fake\"} 9.0\n"));
    http.createContext("/v1/completions", this::complete);
    http.start();
    return http;
  }

  private void serveAdmin() throws IOException {
    var http = open("--admin-port");
    http.createContext("/admin/scheduler", this::schedule);
    http.createContext(
        "/admin/model",
        exchange ->
            answer(exchange, "{\"names\":[\"fake\"],\"device\":\"cardboard (folded kernels)\"}"));
    http.createContext(
        "/metrics",
        exchange ->
            answer(
                exchange,
                "{\"gauges\":{\"jvm.gc.Shenandoah-Pauses.time\":{\"value\":7},"
                    + "\"jvm.gc.Shenandoah-Cycles.time\":{\"value\":900}}}"));
    http.start();
  }

  private HttpServer open(String option) throws IOException {
    int port = Integer.parseInt(option(option, "0"));
    var http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
    http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    return http;
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

  private void schedule(HttpExchange exchange) throws IOException {
    if (exchange.getRequestMethod().equals("PUT")) {
      scheduler = JSON.readTree(exchange.getRequestBody()).path("name").asText();
      System.out.println("scheduler " + scheduler);
    }
    answer(exchange, "{\"name\":\"" + scheduler + "\",\"deposed\":null}");
  }

  private static void answer(HttpExchange exchange, String text) throws IOException {
    byte[] body = bytes(text);
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private void complete(HttpExchange exchange) throws IOException {
    JsonNode request = JSON.readTree(exchange.getRequestBody());
    int tokens = request.path("max_tokens").asInt();
    int number = completions.incrementAndGet();
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.sendResponseHeaders(200, 0);
    try (var out = exchange.getResponseBody()) {
      String text = isEvery("--lie", number) ? "u" : "t";
      for (int i = 0; i < tokens; i++) {
        Thread.sleep(scheduler.equals("slow") ? 30 : 1);
        out.write(bytes("data: {\"choices\":[{\"text\":\"" + text + "\"}]}\n\n"));
        out.flush();
      }
      if (!isEvery("--break", number)) {
        out.write(bytes("data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"length\"}]}\n\n"));
        out.write(
            bytes(
                "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":%d}}\n\n"
                    .formatted(request.path("prompt").size(), tokens)));
        out.write(bytes("data: [DONE]\n\n"));
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isEvery(String name, int number) {
    int every = Integer.parseInt(option(name, "0"));
    return every > 0 && number % every == 0;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
