package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class ExitTest {
  /** Writes after a while. */
  private static final class Slow extends AppenderBase<ILoggingEvent> {
    private final List<String> written = new CopyOnWriteArrayList<>();

    @Override
    protected void append(ILoggingEvent event) {
      long end = System.nanoTime() + 100_000_000;
      while (System.nanoTime() < end) {
        Thread.onSpinWait();
      }
      written.add(event.getMessage());
    }
  }

  @Test
  void theLastLinesAreWrittenBefore() {
    var logs = new LoggerContext();
    logs.setMDCAdapter(new LogbackMDCAdapter());
    var slow = new Slow();
    var later = new AsyncAppender();
    for (var appender : List.of(slow, later)) {
      appender.setContext(logs);
    }
    later.addAppender(slow);
    slow.start();
    later.start();
    var log = logs.getLogger("test");
    log.addAppender(later);
    log.error("first");
    log.error("why");
    Exit.finish(logs);
    assertEquals(List.of("first", "why"), slow.written);
  }
}
