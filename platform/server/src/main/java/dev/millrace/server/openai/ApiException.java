package dev.millrace.server.openai;

/** Ends a request with an error of the API. */
final class ApiException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final transient ApiError error;

  ApiException(ApiError error) {
    super(error.message());
    this.error = error;
  }

  /** A field that is wrong: found, expected. */
  static ApiException field(String param, String message) {
    return new ApiException(
        new ApiError(400, param + ": " + message, "invalid_request_error", param, "invalid_value"));
  }

  /** A field that we know and do not serve. */
  static ApiException unsupported(String param, String message) {
    return new ApiException(
        new ApiError(
            400, param + ": " + message, "invalid_request_error", param, "unsupported_parameter"));
  }

  ApiError error() {
    return error;
  }
}
