package dev.millrace.server.openai;

import jakarta.annotation.Priority;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.ContainerResponseContext;
import jakarta.ws.rs.container.ContainerResponseFilter;
import jakarta.ws.rs.container.PreMatching;
import java.util.UUID;
import java.util.regex.Pattern;

/** Gives every response an {@code X-Request-Id}: the request's own, or a new one. */
@PreMatching
@Priority(0)
public final class RequestIdFilter implements ContainerRequestFilter, ContainerResponseFilter {
  private static final String HEADER = "X-Request-Id";
  private static final Pattern SOUND = Pattern.compile("[\\x21-\\x7e]{1,200}");

  /** The id of a request, which is part of its answer's id, too. */
  static String id(HttpServletRequest request) {
    return request.getAttribute(HEADER) instanceof String id ? id : UUID.randomUUID().toString();
  }

  @Override
  public void filter(ContainerRequestContext request) {
    var given = request.getHeaderString(HEADER);
    request.setProperty(
        HEADER,
        given != null && SOUND.matcher(given).matches() ? given : UUID.randomUUID().toString());
  }

  @Override
  public void filter(ContainerRequestContext request, ContainerResponseContext response) {
    if (request.getProperty(HEADER) instanceof String id) {
      response.getHeaders().putSingle(HEADER, id);
    }
  }
}
