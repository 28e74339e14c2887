package dev.millrace.server;

import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A scheduler that serves the last comer first, one token each, as far as blocks go. */
public final class LastComePlugin implements SchedulerPlugin {
  @Override
  public String name() {
    return "last-come";
  }

  @Override
  public Scheduler create(Map<String, String> settings) {
    return LastComePlugin::plan;
  }

  private static StepPlan plan(EngineView view) {
    var grants = new ArrayList<Grant>();
    int free = view.freeBlocks();
    int tokens = view.limits().tokensPerStep();
    for (var sequence : view.running().reversed()) {
      int blocks = view.blocksFor(sequence, 1);
      if (blocks <= free && tokens > 0) {
        grants.add(new Grant(sequence.id(), 1));
        free -= blocks;
        tokens--;
      }
    }
    return grants.isEmpty() && !view.running().isEmpty()
        ? StepPlan.of(List.of(), List.of(view.running().getLast().id()))
        : StepPlan.of(grants);
  }
}
