package dev.millrace.engine;

/** Waiting for threads that use memory which is about to be freed. */
final class Threads {
  private Threads() {}

  /** Waits until the thread has ended, also if this one is interrupted meanwhile. */
  static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
