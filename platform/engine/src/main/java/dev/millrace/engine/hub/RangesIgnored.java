package dev.millrace.engine.hub;

/** A server was asked for a part of a file and sends all of it. */
final class RangesIgnored extends RuntimeException {
  private static final long serialVersionUID = 1;

  RangesIgnored() {
    super("the server does not serve parts of files");
  }
}
