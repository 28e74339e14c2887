package dev.millrace.server.openai;

import dev.millrace.spi.InferenceException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Request;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.core.UriInfo;
import jakarta.ws.rs.ext.ExceptionMapper;
import org.eclipse.jetty.io.EofException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whatever goes wrong leaves as an error body of the API, never as HTML or a stack trace. */
public final class ErrorMapper implements ExceptionMapper<Throwable> {
  private static final Logger LOG = LoggerFactory.getLogger(ErrorMapper.class);

  @Context private @Nullable UriInfo uri;
  @Context private @Nullable Request request;

  @Override
  public Response toResponse(Throwable thrown) {
    return switch (thrown) {
      case ApiException e -> response(e.error());
      case InferenceException e -> response(ApiError.of(e));
      case WebApplicationException e -> ofJersey(e);
      case EofException _ -> response(ApiError.request(400, "the request ended too early"));
      default -> {
        LOG.error("a request failed", thrown);
        yield response(ApiError.internal());
      }
    };
  }

  static Response response(ApiError error) {
    var response =
        Response.status(error.status())
            .type(MediaType.APPLICATION_JSON_TYPE)
            .entity(error.json().toString());
    return switch (error.status()) {
      case 401 -> response.header(HttpHeaders.WWW_AUTHENTICATE, "Bearer").build();
      case 429, 503 -> response.header(HttpHeaders.RETRY_AFTER, 1).build();
      default -> response.build();
    };
  }

  private Response ofJersey(WebApplicationException e) {
    int status = e.getResponse().getStatus();
    if (status < 400) {
      return e.getResponse();
    }
    var asked =
        (request == null ? "" : request.getMethod() + " ")
            + (uri == null ? "" : "/" + uri.getPath());
    var message =
        switch (status) {
          case 404 -> "there is no " + asked;
          case 405 -> asked + " is not allowed; allowed are " + e.getResponse().getAllowedMethods();
          case 415 -> asked + " takes application/json";
          default -> asked + ": " + e.getResponse().getStatusInfo().getReasonPhrase();
        };
    var response = response(ApiError.request(status, message));
    var allowed = e.getResponse().getHeaderString(HttpHeaders.ALLOW);
    return allowed == null
        ? response
        : Response.fromResponse(response).header(HttpHeaders.ALLOW, allowed).build();
  }
}
