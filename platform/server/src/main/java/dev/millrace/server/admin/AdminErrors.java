package dev.millrace.server.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import jakarta.ws.rs.ext.ExceptionMapper;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Errors as bodies of the same form as the API's. What is wrong with a model or a plugin is here
 * the fault of whoever asked for it.
 */
final class AdminErrors implements ExceptionMapper<Throwable> {
  private static final Logger LOG = LoggerFactory.getLogger(AdminErrors.class);
  private static final int INSUFFICIENT_STORAGE = 507;

  @Override
  public Response toResponse(Throwable thrown) {
    return switch (thrown) {
      case InferenceException e -> refused(e);
      case JsonProcessingException e ->
          response(400, "invalid_request", "the body cannot be read: " + e.getOriginalMessage());
      case WebApplicationException e ->
          response(
              e.getResponse().getStatus(),
              "invalid_request",
              e.getResponse().getStatusInfo().getReasonPhrase());
      default -> {
        LOG.error("an admin request failed", thrown);
        yield response(500, "internal", "the server failed on this request; its log says why");
      }
    };
  }

  private static Response refused(InferenceException e) {
    LOG.info("admin: refused: {}: {}", e.code(), e.getMessage());
    return response(
        status(e.code()), e.code().name().toLowerCase(Locale.ROOT), String.valueOf(e.getMessage()));
  }

  private static int status(ErrorCode code) {
    return switch (code) {
      case INVALID_REQUEST,
          CONTEXT_TOO_LONG,
          UNSUPPORTED_MODEL,
          UNSUPPORTED_QUANTIZATION,
          INVALID_CHECKPOINT,
          MODEL_LOST,
          MISSING_TENSOR,
          BAD_SHAPE,
          INVALID_CONFIGURATION,
          INVALID_PLUGIN,
          INVALID_PLAN ->
          400;
      case ACCESS_DENIED -> 403;
      case UNKNOWN_MODEL, UNKNOWN_CHECKPOINT, UNKNOWN_PLUGIN -> 404;
      case PLUGIN_IN_USE -> 409;
      case QUEUE_FULL, UNAVAILABLE, HUB_UNAVAILABLE, QUEUE_TIMEOUT, TIMED_OUT, CANCELLED -> 503;
      case OUT_OF_MEMORY, OUT_OF_SPACE -> INSUFFICIENT_STORAGE;
      case NUMERICAL_FAILURE, DEVICE_FAILURE, DEVICE_LOST, INTERNAL -> 500;
    };
  }

  private static Response response(int status, String code, String message) {
    return Response.status(status)
        .type(MediaType.APPLICATION_JSON_TYPE)
        .entity(Map.of("error", Map.of("message", message, "code", code)))
        .build();
  }
}
