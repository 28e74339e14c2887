package dev.millrace.schedulers;

import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;
import java.util.List;
import java.util.Map;

/**
 * Iteration-level scheduling: every step is put together anew, running sequences first in order of
 * admission, then waiting ones as far as tokens, blocks and places go. A long prompt is computed in
 * pieces, beside the decoding of others. Nobody loses blocks so that somebody else can start.
 */
public final class ContinuousPlugin implements SchedulerPlugin {
  private static final String NAME = "continuous";

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Scheduler create(Map<String, String> settings) {
    new Settings(NAME, settings).allow(List.of());
    return ContinuousPlugin::plan;
  }

  private static StepPlan plan(EngineView view) {
    var budget = new Budget(view);
    budget.serveRunning();
    // a block for each that runs: who starts should not be the first to be preempted
    int spareBlocks = view.running().size();
    for (var sequence : view.waiting()) {
      if (!budget.start(sequence, spareBlocks)) {
        break; // who came later does not overtake
      }
    }
    return budget.plan();
  }
}
