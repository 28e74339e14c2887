package dev.millrace.server;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.millrace.engine.hub.HubSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/** A hub that has the files of a folder as {@code org/tiny}, and works. */
public final class PlainHub implements AutoCloseable {
  public static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final String FILES = "/org/tiny/resolve/" + COMMIT + "/";

  public final List<String> asked = new CopyOnWriteArrayList<>();
  private final Path folder;
  private final HttpServer server;

  public PlainHub(Path folder) throws IOException {
    this.folder = folder;
    this.server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
    server.createContext("/", this::answer);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
  }

  public Map<String, String> environment(Path cache) {
    return Map.of(
        "HF_ENDPOINT",
        "http://127.0.0.1:" + server.getAddress().getPort(),
        "HF_HUB_CACHE",
        cache.toString(),
        "HF_TOKEN_PATH",
        cache.resolve("no-token").toString());
  }

  HubSettings settings(Path cache) {
    return HubSettings.of(environment(cache));
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    asked.add(exchange.getRequestMethod() + " " + path);
    try (exchange) {
      Path file = folder.resolve(path.startsWith(FILES) ? path.substring(FILES.length()) : "none");
      if (path.equals("/api/models/org/tiny/revision/main")) {
        send(exchange, listing().getBytes(StandardCharsets.UTF_8));
      } else if (Files.isRegularFile(file)) {
        byte[] content = Files.readAllBytes(file);
        exchange.getResponseHeaders().set("ETag", "\"" + sha256(content) + "\"");
        send(exchange, content);
      } else {
        exchange.sendResponseHeaders(404, -1);
      }
    }
  }

  private String listing() throws IOException {
    try (var files = Files.list(folder)) {
      return files
          .map(file -> "{\"rfilename\": \"%s\"}".formatted(file.getFileName()))
          .collect(Collectors.joining(",", "{\"sha\": \"" + COMMIT + "\", \"siblings\": [", "]}"));
    }
  }

  private static void send(HttpExchange exchange, byte[] content) throws IOException {
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", String.valueOf(content.length));
      exchange.sendResponseHeaders(200, -1);
    } else {
      exchange.sendResponseHeaders(200, content.length);
      exchange.getResponseBody().write(content);
    }
  }

  private static String sha256(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
