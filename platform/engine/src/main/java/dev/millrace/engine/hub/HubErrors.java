package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** What a hub's answers mean when they are not what was asked for. */
final class HubErrors {
  private static final Set<Integer> PASSING = Set.of(408, 425, 429, 500, 502, 503, 504);
  private static final int TOO_MANY = 429;

  /** {@code "api";r=0;t=55}: 55 seconds until there are more (draft-ietf-httpapi-ratelimit). */
  private static final Pattern RATE_LIMIT =
      Pattern.compile("r\\s*=\\s*0\\s*;\\s*t\\s*=\\s*(\\d{1,9})");

  private final HubSettings settings;

  HubErrors(HubSettings settings) {
    this.settings = settings;
  }

  /**
   * Passes what has succeeded.
   *
   * @param asked the model whose part was asked for
   * @param file of the repository; empty: none in particular
   * @throws TransientFailure if it may succeed later
   * @throws InferenceException saying what would help
   */
  void check(HttpResponse<?> response, HubReference asked, String file) throws IOException {
    int status = response.statusCode();
    if (status < 300) {
      return;
    }
    String said = said(response.headers());
    if (PASSING.contains(status)) {
      String hint =
          status == TOO_MANY && settings.token().isEmpty()
              ? "; with a token in HF_TOKEN more requests are allowed"
              : "";
      throw new TransientFailure(
          "%s answers %d%s%s".formatted(response.uri().getHost(), status, said, hint),
          retryAfter(response.headers()));
    }
    if (!String.valueOf(response.uri().getHost()).equals(settings.endpoint().getHost())) {
      // an address that was signed for a short time; the hub gives another one
      throw new TransientFailure("%s answers %d".formatted(response.uri().getHost(), status));
    }
    throw switch (status) {
      case 401, 403 -> denied(status, asked, said);
      case 404, 410 -> missing(status, asked, file, response.headers());
      default ->
          new InferenceException(
              ErrorCode.HUB_UNAVAILABLE,
              "%s answers %d for %s%s".formatted(settings.endpoint(), status, asked, said));
    };
  }

  private static String said(HttpHeaders headers) {
    return headers
        .firstValue("X-Error-Message")
        .map(text -> " (" + text.substring(0, Math.min(text.length(), 300)) + ")")
        .orElse("");
  }

  private InferenceException denied(int status, HubReference asked, String said) {
    String page = settings.endpoint() + "/" + asked.repository();
    String cure;
    if (settings.token().isEmpty()) {
      cure =
          "there is no such model, or it is private or gated, and no token was sent: set HF_TOKEN"
              + " to one that may read it, and accept the terms at "
              + page
              + " if it has any";
    } else if (status == 401) {
      cure = "the token (of HF_TOKEN or the token file) is not valid, or there is no such model";
    } else {
      cure =
          "the token is known, but may not read it: accept the model's terms at "
              + page
              + ", or use a token with the right to read gated repositories";
    }
    return new InferenceException(
        ErrorCode.ACCESS_DENIED,
        "%s answers %d for %s%s: %s".formatted(settings.endpoint(), status, asked, said, cure));
  }

  private InferenceException missing(
      int status, HubReference asked, String file, HttpHeaders headers) {
    String found =
        switch (headers.firstValue("X-Error-Code").orElse("")) {
          case "RevisionNotFound" ->
              "no revision %s of %s".formatted(asked.revision(), asked.repository());
          case "EntryNotFound" -> "no file %s in %s".formatted(file, asked);
          default ->
              file.isEmpty()
                  ? "no model %s, or no revision %s of it"
                      .formatted(asked.repository(), asked.revision())
                  : "no file %s in %s".formatted(file, asked);
        };
    return new InferenceException(
        ErrorCode.UNKNOWN_CHECKPOINT,
        "%s has %s (%d)".formatted(settings.endpoint(), found, status));
  }

  private static Optional<Duration> retryAfter(HttpHeaders headers) {
    return headers
        .firstValue("Retry-After")
        .flatMap(HubErrors::pause)
        .or(() ->
            headers
                .firstValue("RateLimit")
                .map(RATE_LIMIT::matcher)
                .filter(found -> found.find())
                .map(found -> Duration.ofSeconds(Long.parseLong(found.group(1)))));
  }

  /** Seconds, or a date. */
  private static Optional<Duration> pause(String text) {
    if (text.strip().matches("\\d{1,9}")) {
      return Optional.of(Duration.ofSeconds(Long.parseLong(text.strip())));
    }
    try {
      var until = Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(text.strip()));
      var pause = Duration.between(Instant.now(), until);
      return Optional.of(pause.isNegative() ? Duration.ZERO : pause);
    } catch (DateTimeException _) {
      return Optional.empty();
    }
  }
}
