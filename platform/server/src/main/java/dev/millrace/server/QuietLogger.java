package dev.millrace.server;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/** Loggers of libraries that say what nobody needs to know. */
final class QuietLogger {
  private QuietLogger() {}

  /** Sets a logger's level, unless the user has. */
  static void limit(String name, Level level) {
    if (LoggerFactory.getLogger(name) instanceof Logger logger && logger.getLevel() == null) {
      logger.setLevel(level);
    }
  }
}
