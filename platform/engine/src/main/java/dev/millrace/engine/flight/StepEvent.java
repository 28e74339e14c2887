package dev.millrace.engine.flight;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** One step of an engine: what the scheduler saw, what was planned, and how long it took. */
@Name(StepEvent.NAME)
@Label("Engine Step")
@Category("Millrace")
@Description("What a scheduler saw and planned; changes since the step before, or all of it")
@StackTrace(false)
final class StepEvent extends Event {
  static final String NAME = "dev.millrace.Step";

  @Label("Engine")
  @Description("Tells the engines of a process apart")
  long engine;

  @Label("Step")
  long step;

  @Label("Scheduler")
  String scheduler = "";

  @Label("Replaced")
  @Description("Whether the engine's own plan took the place of the scheduler's")
  boolean replaced;

  @Label("Whole View")
  @Description("Whether the view is told in full, not only its changes")
  boolean whole;

  @Label("Limits")
  @Description("Tokens of a step, sequences that run, tokens of a block, blocks")
  String limits = "";

  @Label("Engine Clock")
  long nowNanos;

  @Label("Free Blocks")
  int freeBlocks;

  @Label("Waiting")
  int waiting;

  @Label("Running")
  int running;

  @Label("View")
  String view = "";

  @Label("Memo Before")
  @Description("What the view's memo was; = for what the step before left")
  String memoBefore = "";

  @Label("Plan")
  String plan = "";

  @Label("Memo After")
  @Description("What the plan's memo was; = for what it was before")
  String memoAfter = "";

  @Label("Planning Time")
  @Timespan
  long planNanos;

  @Label("Step Time")
  @Description("From the view to the published results")
  @Timespan
  long stepNanos;
}
