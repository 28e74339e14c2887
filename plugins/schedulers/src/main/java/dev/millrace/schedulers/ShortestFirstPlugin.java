package dev.millrace.schedulers;

import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.Scheduler;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Shortest first: low mean latency where lengths differ. Its setting {@code max-wait-ms} is how
 * long a sequence may be overtaken (10000); then order of arrival counts, so that none starves.
 */
public final class ShortestFirstPlugin implements SchedulerPlugin {
  private static final String NAME = "shortest-first";
  private static final String MAX_WAIT = "max-wait-ms";
  private static final int DAY_IN_MS = 86_400_000;

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Scheduler create(Map<String, String> settings) {
    var known = new Settings(NAME, settings).allow(List.of(MAX_WAIT));
    int maxWait = known.number(MAX_WAIT, 10_000, 0, DAY_IN_MS);
    return new ShortestFirst(TimeUnit.MILLISECONDS.toNanos(maxWait));
  }
}
