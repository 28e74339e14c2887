package dev.millrace.spi;

import org.jspecify.annotations.Nullable;

/**
 * The one exception that crosses the SPI. Its message says what was asked, what was found and what
 * would do; anything else a plugin throws is reported as a fault of that plugin.
 */
public final class InferenceException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final ErrorCode code;

  public InferenceException(ErrorCode code, String message) {
    this(code, message, null);
  }

  public InferenceException(ErrorCode code, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  public ErrorCode code() {
    return code;
  }
}
