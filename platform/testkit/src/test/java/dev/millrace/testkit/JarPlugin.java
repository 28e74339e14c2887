package dev.millrace.testkit;

import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;
import java.util.List;
import java.util.Map;

/** A plugin to put into jars. */
public final class JarPlugin implements SchedulerPlugin {
  @Override
  public String name() {
    return "jar";
  }

  @Override
  public Scheduler create(Map<String, String> settings) {
    return _ -> StepPlan.of(List.of());
  }
}
