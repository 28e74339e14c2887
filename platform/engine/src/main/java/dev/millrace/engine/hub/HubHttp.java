package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * Sends requests and follows where they are redirected. The token goes to the hub's own address and
 * nowhere else. Any thread.
 */
final class HubHttp implements AutoCloseable {
  private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
  private static final int MOST_REDIRECTS = 5;

  private final HubSettings settings;
  private final HttpClient client;

  HubHttp(HubSettings settings) {
    this.settings = settings;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1) // a connection for each part of a file
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(settings.answerTimeout())
            .build();
  }

  /** What is to be sent, and how its answer is read. */
  record Exchange<T>(
      UnaryOperator<HttpRequest.Builder> request,
      HttpResponse.BodyHandler<T> handler,
      LongSupplier received) {}

  /**
   * Sends a request and those that it is redirected to.
   *
   * @param last whether an answer need not be followed, though it is a redirection
   * @throws IOException if there is no answer, or its body ends early or stands still
   */
  <T> HttpResponse<T> send(URI uri, Exchange<T> exchange, Predicate<HttpResponse<T>> last)
      throws IOException, InterruptedException {
    URI at = uri;
    for (int i = 0; i <= MOST_REDIRECTS; i++) {
      var response = sendOnce(at, exchange);
      if (!REDIRECTS.contains(response.statusCode()) || last.test(response)) {
        return response;
      }
      at = target(at, response);
    }
    throw new InferenceException(
        ErrorCode.HUB_UNAVAILABLE, uri + " is redirected more than " + MOST_REDIRECTS + " times");
  }

  private static URI target(URI from, HttpResponse<?> response) {
    String location = response.headers().firstValue("Location").orElse("");
    try {
      URI target = from.resolve(location);
      boolean weaker = "https".equals(from.getScheme()) && !"https".equals(target.getScheme());
      if (!location.isEmpty() && target.getHost() != null && !weaker) {
        return target;
      }
    } catch (IllegalArgumentException _) {
      // said below
    }
    throw new InferenceException(
        ErrorCode.HUB_UNAVAILABLE,
        "%s answers %d and redirects to \"%s\", which is not followed"
            .formatted(from, response.statusCode(), location));
  }

  private <T> HttpResponse<T> sendOnce(URI uri, Exchange<T> exchange)
      throws IOException, InterruptedException {
    var builder =
        HttpRequest.newBuilder(uri)
            .timeout(settings.answerTimeout())
            .header("User-Agent", "millrace")
            .header("Accept-Encoding", "identity"); // lengths and hashes are those of the file
    if (!settings.token().isEmpty() && isHub(uri)) {
      builder.header("Authorization", "Bearer " + settings.token());
    }
    var answer = client.sendAsync(exchange.request().apply(builder).build(), exchange.handler());
    return await(answer, exchange.received(), settings.stallTimeout());
  }

  private boolean isHub(URI uri) {
    URI hub = settings.endpoint();
    return String.valueOf(hub.getScheme()).equalsIgnoreCase(uri.getScheme())
        && String.valueOf(hub.getHost()).equalsIgnoreCase(uri.getHost())
        && hub.getPort() == uri.getPort();
  }

  /** The library has no time limit for bodies. */
  private static <T> T await(CompletableFuture<T> answer, LongSupplier received, Duration stall)
      throws IOException, InterruptedException {
    try {
      long seen = received.getAsLong();
      while (true) {
        try {
          return answer.get(stall.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException _) {
          long now = received.getAsLong();
          if (now == seen) {
            throw new HttpTimeoutException("nothing came for " + stall.toSeconds() + " s");
          }
          seen = now;
        }
      }
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case null, default -> throw new IllegalStateException(e);
      }
    } finally {
      answer.cancel(true);
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
    client.close();
  }
}
