package dev.millrace.server;

import ch.qos.logback.classic.LoggerContext;
import org.slf4j.LoggerFactory;

/**
 * The end of the process, once its log is written: appenders write later, on threads of their own.
 */
final class Exit {
  private Exit() {}

  /** Ends the process. Any thread; does not return. */
  static void now(int status) {
    if (LoggerFactory.getILoggerFactory() instanceof LoggerContext logs) {
      finish(logs);
    }
    System.exit(status);
  }

  /** Has every appender write what it holds, for a second at most; nothing is logged after that. */
  static void finish(LoggerContext logs) {
    logs.stop();
  }
}
