package dev.millrace.spi.schedule;

/**
 * Chooses the tokens of the next step. Called by the engine thread, between two steps; must return
 * within a few microseconds per sequence and never block. Equal views get equal plans: all state a
 * scheduler needs travels in the view's memo.
 */
@FunctionalInterface
public interface Scheduler {
  StepPlan plan(EngineView view);
}
