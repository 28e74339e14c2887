package dev.millrace.server.openai;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.spi.InferenceException;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An error as OpenAI's clients expect it.
 *
 * @param param the field of the request that is wrong
 * @param code what a program may look at
 * @param figures numbers beside them, by name
 */
record ApiError(
    int status,
    String message,
    String type,
    @Nullable String param,
    @Nullable String code,
    Map<String, Integer> figures) {
  private static final String REQUEST = "invalid_request_error";
  private static final String SERVER = "server_error";
  private static final String CONTEXT = "exceed_context_size_error";

  ApiError {
    figures = Map.copyOf(figures);
  }

  ApiError(int status, String message, String type, @Nullable String param, @Nullable String code) {
    this(status, message, type, param, code, Map.of());
  }

  static ApiError request(int status, String message) {
    return new ApiError(status, message, REQUEST, null, null);
  }

  static ApiError unauthorized(String message) {
    return new ApiError(401, message, "authentication_error", null, "invalid_api_key");
  }

  /** A prompt, or a prompt with its answer, that is longer than the context. */
  static ApiError tooLong(String message, int promptTokens, int context) {
    var figures = Map.of("n_prompt_tokens", promptTokens, "n_ctx", context);
    return new ApiError(400, message, CONTEXT, null, "context_length_exceeded", figures);
  }

  static ApiError internal() {
    return new ApiError(
        500, "the server failed on this request; its log says why", SERVER, null, "internal_error");
  }

  /** The one place where the engine's errors become HTTP. */
  static ApiError of(InferenceException e) {
    var message = String.valueOf(e.getMessage());
    return switch (e.code()) {
      case INVALID_REQUEST -> request(400, message);
      case CONTEXT_TOO_LONG -> new ApiError(400, message, CONTEXT, null, "context_length_exceeded");
      case UNKNOWN_MODEL -> new ApiError(404, message, REQUEST, "model", "model_not_found");
      case QUEUE_FULL -> new ApiError(429, message, "rate_limit_error", null, "queue_full");
      case CANCELLED -> new ApiError(499, message, REQUEST, null, "cancelled");
      case UNAVAILABLE -> new ApiError(503, message, SERVER, null, "unavailable");
      case MODEL_LOST -> new ApiError(503, message, SERVER, null, "model_lost");
      case DEVICE_LOST -> new ApiError(503, message, SERVER, null, "device_lost");
      case QUEUE_TIMEOUT -> new ApiError(503, message, SERVER, null, "queue_timeout");
      case TIMED_OUT -> new ApiError(504, message, SERVER, null, "timed_out");
      case UNSUPPORTED_MODEL,
          UNSUPPORTED_QUANTIZATION,
          UNKNOWN_CHECKPOINT,
          ACCESS_DENIED,
          HUB_UNAVAILABLE,
          OUT_OF_SPACE,
          INVALID_CHECKPOINT,
          MISSING_TENSOR,
          BAD_SHAPE,
          INVALID_CONFIGURATION,
          INVALID_PLUGIN,
          UNKNOWN_PLUGIN,
          PLUGIN_IN_USE,
          INVALID_PLAN,
          OUT_OF_MEMORY,
          NUMERICAL_FAILURE,
          DEVICE_FAILURE,
          INTERNAL ->
          new ApiError(500, message, SERVER, null, e.code().name().toLowerCase(Locale.ROOT));
    };
  }

  /** The body: {@code {"error": {…}}}. */
  ObjectNode json() {
    var body = JsonNodeFactory.instance.objectNode();
    var error = body.putObject("error");
    error.put("message", message).put("type", type).put("param", param).put("code", code);
    figures.forEach(error::put);
    return body;
  }
}
