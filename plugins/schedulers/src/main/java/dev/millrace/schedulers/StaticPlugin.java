package dev.millrace.schedulers;

import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.Scheduler;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Static batching, the baseline. Settings: {@code batch-size}, the most sequences of a batch (as
 * many as may run at once), and {@code max-wait-ms}, how long the oldest sequence waits for others
 * to fill a batch (50).
 */
public final class StaticPlugin implements SchedulerPlugin {
  private static final String NAME = "static";
  private static final String BATCH_SIZE = "batch-size";
  private static final String MAX_WAIT = "max-wait-ms";
  private static final int HOUR_IN_MS = 3_600_000;

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Scheduler create(Map<String, String> settings) {
    var known = new Settings(NAME, settings).allow(List.of(BATCH_SIZE, MAX_WAIT));
    return new StaticBatching(
        known.number(BATCH_SIZE, Integer.MAX_VALUE, 1, Integer.MAX_VALUE),
        TimeUnit.MILLISECONDS.toNanos(known.number(MAX_WAIT, 50, 0, HOUR_IN_MS)));
  }
}
