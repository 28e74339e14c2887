package dev.millrace.spi;

import org.jspecify.annotations.Nullable;

/**
 * The one exception that crosses the SPI. Its message says what was asked, what was found and what
 * would do; anything else a plugin throws is reported as a fault of that plugin. What a message
 * quotes may come from a damaged file and be as long as that, so a long one loses its middle.
 */
public final class InferenceException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final int MOST = 8_000;
  private static final int KEPT_AT_END = 1_000;

  private final ErrorCode code;

  public InferenceException(ErrorCode code, String message) {
    this(code, message, null);
  }

  public InferenceException(ErrorCode code, String message, @Nullable Throwable cause) {
    super(shortened(message), cause);
    this.code = code;
  }

  private static String shortened(String message) {
    if (message.length() <= MOST) {
      return message;
    }
    return message.substring(0, MOST - KEPT_AT_END)
        + " … "
        + message.substring(message.length() - KEPT_AT_END);
  }

  public ErrorCode code() {
    return code;
  }
}
