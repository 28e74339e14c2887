package dev.millrace.engine.plugin;

import org.jspecify.annotations.Nullable;

/** Why a jar cannot be used, in words that follow "it cannot be used:". */
final class UnfitJarException extends RuntimeException {
  private static final long serialVersionUID = 1;

  UnfitJarException(String why) {
    this(why, null);
  }

  UnfitJarException(String why, @Nullable Throwable cause) {
    super(why, cause);
  }
}
