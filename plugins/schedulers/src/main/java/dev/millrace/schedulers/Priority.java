package dev.millrace.schedulers;

import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;

/** Strictly by priority; {@link PriorityStep} has the rules. */
final class Priority implements Scheduler {
  @Override
  public StepPlan plan(EngineView view) {
    return new PriorityStep(view).plan();
  }
}
