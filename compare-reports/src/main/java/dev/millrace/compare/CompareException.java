package dev.millrace.compare;

/** A comparison that could not be made, in words for the person who asked for it. */
public final class CompareException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** With what to tell. */
  public CompareException(String message) {
    super(message);
  }
}
