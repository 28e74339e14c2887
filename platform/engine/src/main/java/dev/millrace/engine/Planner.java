package dev.millrace.engine;

import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.engine.schedule.LiveView;
import dev.millrace.engine.schedule.PlanCheck;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the scheduler for plans and does not trust them: a plan that breaks a rule, throws or takes
 * too long is replaced by a first-come-first-served one. After three such plans in a row the engine
 * stays with its own. Owned by the engine thread.
 */
final class Planner implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Planner.class);
  private static final Duration LONGEST = Duration.ofMillis(50);
  private static final int PATIENCE = 3;

  private final Scheduler fallback = new FirstComeFirstServed();
  private final PlanCheck check = new PlanCheck();
  private final PlanWatch watch = new PlanWatch();
  private NamedScheduler asked;
  private int failuresInRow;
  private long refused;
  private @Nullable Object memo;
  private boolean replaced;
  private long planNanos;

  Planner(NamedScheduler scheduler) {
    this.asked = scheduler;
  }

  /** Has another scheduler plan from now on, which starts with a clean sheet. */
  void replace(NamedScheduler scheduler) {
    LOG.info("scheduler {} takes over from {}", scheduler.name(), asked.name());
    asked = scheduler;
    memo = null;
    failuresInRow = 0;
  }

  /** Name of the scheduler that is asked, in charge or not. */
  String name() {
    return asked.name();
  }

  /** The plan of the next step; keeps all rules. */
  StepPlan plan(LiveView view, int freeBlocks) {
    long now = System.nanoTime();
    view.at(now, memo, freeBlocks);
    var plan = failuresInRow < PATIENCE ? ask(view, now) : null;
    replaced = plan == null;
    if (plan == null) {
      plan = fallback.plan(view.at(now, null, freeBlocks));
    } else {
      memo = plan.memo();
    }
    planNanos = System.nanoTime() - now;
    return plan;
  }

  /** Whether the last plan is the engine's own. */
  boolean wasReplaced() {
    return replaced;
  }

  /** How long the last plan took, its check included. */
  long planNanos() {
    return planNanos;
  }

  /** Plans that were replaced, since start. */
  long refused() {
    return refused;
  }

  /** Why the engine plans for itself, or null while the scheduler is in charge. */
  @Nullable String deposed() {
    return failuresInRow < PATIENCE
        ? null
        : "scheduler " + asked.name() + " failed " + PATIENCE + " times in a row";
  }

  private @Nullable StepPlan ask(LiveView view, long start) {
    try {
      var plan = planOf(asked, view, start);
      check.check(plan, view);
      if (System.nanoTime() - start <= LONGEST.toNanos()) {
        failuresInRow = 0;
        return plan;
      }
      refuse("took longer than " + LONGEST.toMillis() + " ms", null);
    } catch (Throwable e) { // whatever a plugin throws is its own
      refuse(String.valueOf(e.getMessage()), e);
    }
    return null;
  }

  private StepPlan planOf(NamedScheduler scheduler, LiveView view, long start) {
    watch.begin(scheduler.name(), start);
    try {
      return scheduler.scheduler().plan(view);
    } finally {
      watch.end();
    }
  }

  private void refuse(String why, @Nullable Throwable cause) {
    refused++;
    failuresInRow++;
    LOG.warn("plan {} of scheduler {} replaced: {}", refused, asked.name(), why, cause);
    if (failuresInRow == PATIENCE) {
      LOG.error("{}; the engine plans first come, first served from now on", deposed());
    }
  }

  @Override
  public void close() {
    watch.close();
  }
}
