package dev.millrace.compare;

/** A comparison that could not be made, in words for the person who asked for it. */
final class CompareException extends RuntimeException {
  private static final long serialVersionUID = 1;

  CompareException(String message) {
    super(message);
  }
}
