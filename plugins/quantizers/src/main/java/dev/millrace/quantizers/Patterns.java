package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Regular expressions of configurations. */
final class Patterns {
  private Patterns() {}

  static Pattern compiled(String pattern) {
    try {
      return Pattern.compile(pattern);
    } catch (PatternSyntaxException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          "quantization_config has the pattern %s, which is none: %s"
              .formatted(pattern, e.getDescription()),
          e);
    }
  }
}
