package dev.millrace.schedulers;

import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.Scheduler;
import java.util.List;
import java.util.Map;

/**
 * By priority, as vLLM's policy of this name: a request's {@code priority} decides, lower first,
 * and running ones make room for better ones. A stream of better requests keeps worse ones waiting
 * for as long as it lasts; nothing is done against that.
 */
public final class PriorityPlugin implements SchedulerPlugin {
  private static final String NAME = "priority";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Scheduler create(Map<String, String> settings) {
    new Settings(NAME, settings).allow(List.of());
    return view -> new PriorityStep(view).plan();
  }
}
