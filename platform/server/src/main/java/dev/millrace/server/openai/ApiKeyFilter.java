package dev.millrace.server.openai;

import jakarta.annotation.Priority;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.PreMatching;
import jakarta.ws.rs.core.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Asks for a key where keys are set; open are the pages that machines watch, and what is served.
 */
@PreMatching
@Priority(Priorities.AUTHENTICATION)
public final class ApiKeyFilter implements ContainerRequestFilter {
  private static final Set<String> OPEN =
      Set.of("health", "ready", "load", "version", "metrics", "v1/models");
  private static final String BEARER = "Bearer ";

  private final List<byte[]> keys;

  public ApiKeyFilter(List<String> keys) {
    this.keys = keys.stream().map(ApiKeyFilter::bytes).toList();
  }

  @Override
  public void filter(ContainerRequestContext request) {
    if (keys.isEmpty() || OPEN.contains(request.getUriInfo().getPath())) {
      return;
    }
    var given = given(request);
    if (given == null) {
      throw new ApiException(
          ApiError.unauthorized(
              "no API key: expected the header Authorization: Bearer KEY, or X-Api-Key: KEY"));
    }
    boolean known = false;
    for (byte[] key : keys) { // all of them, in constant time
      known |= MessageDigest.isEqual(key, bytes(given));
    }
    if (!known) {
      throw new ApiException(ApiError.unauthorized("the API key is not one of this server's"));
    }
  }

  private static @Nullable String given(ContainerRequestContext request) {
    var header = request.getHeaderString(HttpHeaders.AUTHORIZATION);
    return header != null && header.regionMatches(true, 0, BEARER, 0, BEARER.length())
        ? header.substring(BEARER.length()).strip()
        : request.getHeaderString("X-Api-Key");
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
