package dev.millrace.engine.hub;

/** How far one file of a pull is. Any thread. */
final class FileProgress {
  private final PullProgress pull;
  private long counted;

  /**
   * Counts for a pull.
   *
   * @param present bytes that the pull has counted as present
   */
  FileProgress(PullProgress pull, long present) {
    this.pull = pull;
    this.counted = present;
  }

  synchronized void add(long bytes) {
    pull.add(bytes);
    counted += bytes;
  }

  /** So much is there, and was not fetched just now. */
  synchronized void set(long bytes) {
    pull.addPresent(bytes - counted);
    counted = bytes;
  }
}
