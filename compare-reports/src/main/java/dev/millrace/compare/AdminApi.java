package dev.millrace.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Pattern;

/** What a comparison asks of the server's two ports besides completions. Safe for any thread. */
final class AdminApi implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Of collectors that work beside the server, one gauge counts pauses, and one whole cycles. */
  private static final Pattern STOPS = Pattern.compile("jvm\\.gc\\.(?!.*Cycles).*\\.time");

  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();
  private final URI http;
  private final URI admin;

  AdminApi(URI http, URI admin) {
    this.http = http;
    this.admin = admin;
  }

  /** Has another scheduler plan from the next step on. */
  void schedule(String name) {
    var body = JSON.createObjectNode().put("name", name);
    var request =
        HttpRequest.newBuilder(admin.resolve("/admin/scheduler"))
            .timeout(Duration.ofSeconds(30))
            .header("Content-Type", "application/json")
            .PUT(HttpRequest.BodyPublishers.ofString(body.toString(), StandardCharsets.UTF_8))
            .build();
    var answer = send(request);
    if (answer.statusCode() != 200) {
      throw new CompareException(
          "the server does not switch to the scheduler %s: %d %s"
              .formatted(name, answer.statusCode(), answer.body().strip()));
    }
  }

  /** Throws if the server has put its own plans in the place of the scheduler's. */
  void requireInCharge(String name) {
    var scheduler = json(admin.resolve("/admin/scheduler"));
    if (!scheduler.path("name").asText().equals(name) || scheduler.hasNonNull("deposed")) {
      throw new CompareException("the scheduler " + name + " was not in charge: " + scheduler);
    }
  }

  /** The model in service: names, device with its kernels, settings. */
  JsonNode model() {
    return json(admin.resolve("/admin/model"));
  }

  /** Seconds for which the server's collectors have stopped it, all together since its start. */
  double collectorSeconds() {
    double millis = 0;
    for (var gauge : json(admin.resolve("/metrics")).path("gauges").properties()) {
      if (STOPS.matcher(gauge.getKey()).matches()) {
        millis += gauge.getValue().path("value").asDouble();
      }
    }
    return millis / 1e3;
  }

  /** The server's metrics in Prometheus's text format. */
  String metrics() {
    return send(get(http.resolve("/metrics"))).body();
  }

  private JsonNode json(URI address) {
    var answer = send(get(address));
    try {
      if (answer.statusCode() == 200) {
        return JSON.readTree(answer.body());
      }
    } catch (IOException _) {
      // said below
    }
    throw new CompareException(address + " answered " + answer.statusCode());
  }

  private static HttpRequest get(URI address) {
    return HttpRequest.newBuilder(address).timeout(Duration.ofSeconds(10)).build();
  }

  private HttpResponse<String> send(HttpRequest request) {
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      throw new CompareException("cannot ask " + request.uri() + ": " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CompareException("interrupted while asking " + request.uri());
    }
  }

  @Override
  public void close() {
    client.close();
  }
}
