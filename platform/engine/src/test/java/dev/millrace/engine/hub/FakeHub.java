package dev.millrace.engine.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A hub with one model, {@code org/tiny}, as the Hugging Face Hub answers: large files are
 * redirected to another host. Tests say what goes wrong.
 */
final class FakeHub implements AutoCloseable {
  static final String MODEL = "org/tiny";
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  /** Files of this size and larger are kept elsewhere, and named by their SHA-256. */
  static final int LARGE = 10_000;

  private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d+)");

  /** Answers a request in a way of its own. */
  interface Answer {
    void to(HttpExchange exchange, byte[] content) throws IOException, InterruptedException;
  }

  /**
   * A request as it came.
   *
   * @param host which of the two servers got it
   */
  record Seen(String host, String method, String path, String authorization, String range) {}

  private record Rule(String method, String path, int[] times, Answer answer) {}

  final List<Seen> seen = new CopyOnWriteArrayList<>();
  final Map<String, byte[]> files = new ConcurrentHashMap<>();
  private final List<Rule> rules = new CopyOnWriteArrayList<>();
  private final HttpServer hub = start();
  private final HttpServer store = start();
  private volatile String commit = COMMIT;
  private volatile String token = "";

  FakeHub() {
    hub.createContext("/", this::hub);
    store.createContext("/", exchange -> handle("store", exchange, storedAt(exchange)));
  }

  private static HttpServer start() {
    try {
      var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
      var server = HttpServer.create(address, 100);
      server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
      server.start();
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  FakeHub file(String path, byte[] content) {
    files.put(path, content);
    return this;
  }

  FakeHub file(String path, String content) {
    return file(path, content.getBytes(StandardCharsets.UTF_8));
  }

  byte[] content(String path) {
    return Objects.requireNonNull(files.get(path), path);
  }

  /**
   * The next requests like this are answered so; later rules come after earlier ones.
   *
   * @param path how server ("hub" or "store") and path end
   */
  FakeHub on(String method, String path, int times, Answer answer) {
    rules.add(new Rule(method, path, new int[] {times}, answer));
    return this;
  }

  /** Another commit is the newest. */
  void moveTo(String newCommit) {
    commit = newCommit;
  }

  /** Only this token may read. */
  void requireToken(String needed) {
    token = needed;
  }

  String endpoint() {
    return "http://127.0.0.1:" + hub.getAddress().getPort();
  }

  HubSettings settings(Path cache) {
    return settings(cache, "", false);
  }

  HubSettings settings(Path cache, String withToken, boolean offline) {
    return settings(cache, withToken, offline, Duration.ofSeconds(20));
  }

  HubSettings settings(Path cache, String withToken, boolean offline, Duration patience) {
    return new HubSettings(URI.create(endpoint()), withToken, cache, offline, patience, patience);
  }

  long count(String method, String path) {
    return seen.stream()
        .filter(s -> s.method().equals(method) && (s.host() + s.path()).endsWith(path))
        .count();
  }

  private void hub(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    if (path.startsWith("/api/models/" + MODEL + "/revision/")) {
      handle("hub", exchange, listing());
    } else if (path.startsWith("/" + MODEL + "/resolve/")) {
      String file = path.substring(("/" + MODEL + "/resolve/").length() + COMMIT.length() + 1);
      handle("hub", exchange, files.getOrDefault(file, new byte[0]));
    } else {
      handle("hub", exchange, new byte[0]);
    }
  }

  private byte[] storedAt(HttpExchange exchange) {
    return files.getOrDefault(exchange.getRequestURI().getPath().substring(1), new byte[0]);
  }

  private byte[] listing() {
    String siblings =
        new TreeMap<>(files)
            .keySet().stream()
                .map(file -> "{\"rfilename\":\"" + file.replace("\\", "\\\\") + "\"}")
                .collect(Collectors.joining(","));
    return "{\"id\":\"%s\",\"sha\":\"%s\",\"siblings\":[%s]}"
        .formatted(MODEL, commit, siblings)
        .getBytes(StandardCharsets.UTF_8);
  }

  private void handle(String host, HttpExchange exchange, byte[] content) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String authorization = header(exchange, "Authorization");
    seen.add(
        new Seen(
            host, exchange.getRequestMethod(), path, authorization, header(exchange, "Range")));
    try (exchange) {
      for (Rule rule : rules) {
        if (rule.method().equals(exchange.getRequestMethod())
            && (host + path).endsWith(rule.path())
            && isLeft(rule)) {
          rule.answer().to(exchange, content);
          return;
        }
      }
      if (host.equals("store")) {
        send(exchange, content);
      } else {
        answer(exchange, path, content, authorization);
      }
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
  }

  private static boolean isLeft(Rule rule) {
    synchronized (rule) {
      return rule.times()[0]-- > 0;
    }
  }

  private static String header(HttpExchange exchange, String name) {
    String value = exchange.getRequestHeaders().getFirst(name);
    return value == null ? "" : value;
  }

  private void answer(HttpExchange exchange, String path, byte[] content, String authorization)
      throws IOException, InterruptedException {
    if (!token.isEmpty() && !authorization.equals("Bearer " + token)) {
      status(authorization.isEmpty() ? 401 : 403).to(exchange, content);
    } else if (path.startsWith("/api/")) {
      send(exchange, content);
    } else if (!files.containsKey(file(path))) {
      status(404, "X-Error-Code", "EntryNotFound").to(exchange, content);
    } else {
      sendFile(exchange, file(path), content);
    }
  }

  private static String file(String path) {
    int start = ("/" + MODEL + "/resolve/" + COMMIT + "/").length();
    return path.length() <= start ? "" : path.substring(start);
  }

  /** Head and body of a file, or where it is kept. */
  private void sendFile(HttpExchange exchange, String path, byte[] content) throws IOException {
    var headers = exchange.getResponseHeaders();
    headers.set("X-Repo-Commit", commit);
    if (content.length < LARGE) {
      headers.set("ETag", "\"" + Hashes.git(content) + "\"");
      send(exchange, content);
      return;
    }
    headers.set("X-Linked-Etag", "\"" + Hashes.sha256(content) + "\"");
    headers.set("X-Linked-Size", String.valueOf(content.length));
    headers.set("Location", "http://localhost:" + store.getAddress().getPort() + "/" + path);
    exchange.sendResponseHeaders(302, -1);
  }

  /** All of a content, or the part that was asked for. */
  static void send(HttpExchange exchange, byte[] content) throws IOException {
    var range = RANGE.matcher(header(exchange, "Range"));
    int start = 0;
    int end = content.length;
    if (range.matches()) {
      start = Integer.parseInt(range.group(1));
      end = Math.min(end, Integer.parseInt(range.group(2)) + 1);
      if (start >= content.length) {
        exchange.sendResponseHeaders(416, -1);
        return;
      }
      exchange
          .getResponseHeaders()
          .set("Content-Range", "bytes %d-%d/%d".formatted(start, end - 1, content.length));
    }
    int status = range.matches() ? 206 : 200;
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", String.valueOf(end - start));
      exchange.sendResponseHeaders(status, -1);
    } else {
      exchange.sendResponseHeaders(status, end == start ? -1 : end - start);
      exchange.getResponseBody().write(content, start, end - start);
    }
  }

  /** A status without a body. */
  static Answer status(int code, String... headers) {
    return (exchange, _) -> {
      for (int i = 0; i < headers.length; i += 2) {
        exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
      }
      exchange.sendResponseHeaders(code, -1);
    };
  }

  /** The connection breaks after some bytes of what was asked for. */
  static Answer cut(int after) {
    return (exchange, content) -> {
      var range = RANGE.matcher(header(exchange, "Range"));
      int start = 0;
      int end = content.length;
      if (range.matches()) {
        start = Integer.parseInt(range.group(1));
        end = Integer.parseInt(range.group(2)) + 1;
        exchange
            .getResponseHeaders()
            .set("Content-Range", "bytes %d-%d/%d".formatted(start, end - 1, content.length));
      }
      exchange.sendResponseHeaders(range.matches() ? 206 : 200, end - start);
      exchange.getResponseBody().write(content, start, Math.min(after, end - start - 1));
      exchange.getResponseBody().flush();
    };
  }

  /** Nothing, for longer than anybody waits. */
  static Answer hang() {
    return (_, _) -> Thread.sleep(5_000);
  }

  /** A body that stands still after some bytes. */
  static Answer stall(int after) {
    return (exchange, content) -> {
      exchange.sendResponseHeaders(200, content.length);
      exchange.getResponseBody().write(content, 0, after);
      exchange.getResponseBody().flush();
      Thread.sleep(5_000);
    };
  }

  @Override
  public void close() {
    hub.stop(0);
    store.stop(0);
  }
}
