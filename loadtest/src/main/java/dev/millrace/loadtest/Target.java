package dev.millrace.loadtest;

import java.net.URI;
import java.time.Duration;
import java.util.Map;

/**
 * The server under load: its base address without the {@code /v1} part, the model name to ask for,
 * and how long one request may take from its scheduled time to its last byte. {@code fields} are
 * further fields of each request's body, by name.
 */
public record Target(URI base, String model, Duration timeout, Map<String, Object> fields) {
  /** A target whose requests have no further fields. */
  public Target(URI base, String model, Duration timeout) {
    this(base, model, timeout, Map.of());
  }

  public Target {
    if (!"http".equals(base.getScheme()) || base.getHost() == null) {
      throw new IllegalArgumentException(
          "the load generator speaks plain HTTP to http://HOST:PORT, not to " + base);
    }
    if (timeout.toMillis() < 1) {
      throw new IllegalArgumentException("a request needs a time limit above zero, not " + timeout);
    }
    fields = Map.copyOf(fields);
  }

  String host() {
    return base.getHost();
  }

  /** The path before {@code /v1}, without a closing slash. */
  String path() {
    String path = base.getRawPath();
    return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
  }

  int port() {
    return base.getPort() < 0 ? 80 : base.getPort();
  }
}
