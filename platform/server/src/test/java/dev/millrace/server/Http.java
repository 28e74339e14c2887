package dev.millrace.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;

/** A client for tests. */
public final class Http {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private final int port;

  Http(int port) {
    this.port = port;
  }

  /** A body that was answered. */
  public record Reply(HttpResponse<String> response) {
    public int status() {
      return response.statusCode();
    }

    public String text() {
      return response.body();
    }

    public String header(String name) {
      return response.headers().firstValue(name).orElse("");
    }

    public JsonNode json() {
      try {
        return MAPPER.readTree(text());
      } catch (IOException e) {
        throw new IllegalStateException(text(), e);
      }
    }

    public JsonNode error() {
      return json().path("error");
    }

    /** What stands behind each {@code data:}, the last one included. */
    public List<String> data() {
      return text()
          .lines()
          .filter(line -> line.startsWith("data: "))
          .map(line -> line.substring(6))
          .toList();
    }

    /** The chunks before {@code [DONE]}. */
    public List<JsonNode> chunks() {
      return data().stream()
          .filter(data -> !data.equals("[DONE]"))
          .map(data -> {
            try {
              return MAPPER.readTree(data);
            } catch (IOException e) {
              throw new IllegalStateException(data, e);
            }
          })
          .toList();
    }
  }

  public Reply get(String path, String... headers) {
    return send(HttpRequest.newBuilder().GET(), path, headers);
  }

  public Reply post(String path, String body, String... headers) {
    return send(
        HttpRequest.newBuilder()
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .header("Content-Type", "application/json"),
        path,
        headers);
  }

  public Reply put(String path, String body) {
    return send(
        HttpRequest.newBuilder()
            .PUT(HttpRequest.BodyPublishers.ofString(body))
            .header("Content-Type", "application/json"),
        path);
  }

  public Reply delete(String path) {
    return send(HttpRequest.newBuilder().DELETE(), path);
  }

  /** The sum of the metrics whose name, with labels, begins like this. */
  public double metric(String name) {
    return get("/metrics")
        .text()
        .lines()
        .filter(line -> line.startsWith(name))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .sum();
  }

  public Reply chat(String body) {
    return post("/v1/chat/completions", body);
  }

  public Reply complete(String body) {
    return post("/v1/completions", body);
  }

  Reply send(HttpRequest.Builder request, String path, String... headers) {
    for (int i = 0; i < headers.length; i += 2) {
      request.setHeader(headers[i], headers[i + 1]);
    }
    try {
      request.uri(URI.create("http://127.0.0.1:" + port + path));
      return new Reply(CLIENT.send(request.build(), BodyHandlers.ofString()));
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
