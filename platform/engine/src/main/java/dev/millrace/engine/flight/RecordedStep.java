package dev.millrace.engine.flight;

import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.StepPlan;

/**
 * One step of a recorded run. The view answers what the scheduler of that run asked; what it did
 * not ask of cached or shared blocks is answered as if there were none.
 *
 * @param engine tells the engines of a process apart
 * @param step counts from 1 in each engine
 * @param scheduler whose plan it is
 * @param replaced whether it is the engine's own plan instead
 */
public record RecordedStep(
    long engine, long step, String scheduler, boolean replaced, EngineView view, StepPlan plan) {}
