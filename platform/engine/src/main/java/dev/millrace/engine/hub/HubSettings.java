package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which hub, as whom, and where its files are kept.
 *
 * @param endpoint the hub's address, without a slash at its end
 * @param token what the hub knows the user by; empty: nobody
 * @param cache the folder that all tools share
 * @param offline whether nothing but the cache may be used
 * @param answerTimeout longest wait for the beginning of an answer
 * @param stallTimeout longest time in which nothing of a file arrives
 */
public record HubSettings(
    URI endpoint,
    String token,
    Path cache,
    boolean offline,
    Duration answerTimeout,
    Duration stallTimeout) {
  private static final Set<String> TRUE = Set.of("1", "ON", "YES", "TRUE");
  private static final String TEN_SECONDS = "10";

  /**
   * What the environment says, in the variables of Python's huggingface_hub: {@code HF_ENDPOINT},
   * {@code HF_TOKEN} or the file at {@code HF_TOKEN_PATH}, {@code HF_HUB_CACHE}, {@code HF_HOME},
   * {@code HF_HUB_OFFLINE}, {@code HF_HUB_ETAG_TIMEOUT} and {@code HF_HUB_DOWNLOAD_TIMEOUT} in
   * seconds.
   *
   * @throws InferenceException {@code INVALID_CONFIGURATION} naming the variable
   */
  public static HubSettings of(Map<String, String> environment) {
    var env = new Environment(environment);
    Path home =
        env.path("HF_HOME")
            .orElseGet(() ->
                env.path("XDG_CACHE_HOME")
                    .orElseGet(() -> env.home().resolve(".cache"))
                    .resolve("huggingface"));
    return new HubSettings(
        env.endpoint(),
        env.text("HF_TOKEN")
            .or(() -> env.text("HUGGING_FACE_HUB_TOKEN"))
            .orElseGet(() -> storedToken(env.path("HF_TOKEN_PATH").orElse(home.resolve("token")))),
        env.path("HF_HUB_CACHE")
            .or(() -> env.path("HUGGINGFACE_HUB_CACHE"))
            .orElse(home.resolve("hub")),
        env.isTrue("HF_HUB_OFFLINE") || env.isTrue("TRANSFORMERS_OFFLINE"),
        env.seconds("HF_HUB_ETAG_TIMEOUT"),
        env.seconds("HF_HUB_DOWNLOAD_TIMEOUT"));
  }

  private static String storedToken(Path file) {
    try {
      return Files.isReadable(file) ? Files.readString(file).strip() : "";
    } catch (IOException e) {
      throw wrong("the token in " + file + " cannot be read: " + e);
    }
  }

  public HubSettings {
    if (!token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
      throw wrong("the hub's token holds characters that no token has");
    }
  }

  /** Everything but the token. */
  @Override
  public String toString() {
    return "%s, cached in %s%s".formatted(endpoint, cache, offline ? ", offline" : "");
  }

  private static InferenceException wrong(String message) {
    return new InferenceException(ErrorCode.INVALID_CONFIGURATION, message);
  }

  private record Environment(Map<String, String> variables) {
    Optional<String> text(String name) {
      return Optional.ofNullable(variables.get(name)).map(String::strip).filter(t -> !t.isEmpty());
    }

    Path home() {
      return Path.of(System.getProperty("user.home"));
    }

    Optional<Path> path(String name) {
      return text(name)
          .map(text ->
              text.equals("~") || text.startsWith("~/")
                  ? Path.of(home() + text.substring(1))
                  : Path.of(text))
          .map(path -> path.toAbsolutePath().normalize());
    }

    boolean isTrue(String name) {
      return text(name).map(text -> TRUE.contains(text.toUpperCase(Locale.ROOT))).orElse(false);
    }

    Duration seconds(String name) {
      String text = text(name).orElse(TEN_SECONDS);
      try {
        int seconds = Integer.parseInt(text);
        if (seconds > 0) {
          return Duration.ofSeconds(seconds);
        }
      } catch (NumberFormatException _) {
        // said below
      }
      throw wrong(name + " is \"" + text + "\", not a whole number of seconds above zero");
    }

    URI endpoint() {
      String text = text("HF_ENDPOINT").orElse("https://huggingface.co").replaceAll("/+$", "");
      URI uri = parsed(text);
      if (uri == null
          || uri.getHost() == null
          || uri.getRawQuery() != null
          || !Set.of("http", "https").contains(String.valueOf(uri.getScheme()))) {
        throw wrong("HF_ENDPOINT is \"" + text + "\", not an address like https://huggingface.co");
      }
      return uri;
    }

    private static @Nullable URI parsed(String text) {
      try {
        return URI.create(text);
      } catch (IllegalArgumentException _) {
        return null;
      }
    }
  }
}
