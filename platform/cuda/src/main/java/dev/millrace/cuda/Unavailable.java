package dev.millrace.cuda;

/** Why no GPU can be used here; the message says what to install. */
final class Unavailable extends Exception {
  private static final long serialVersionUID = 1;

  Unavailable(String message) {
    super(message);
  }
}
