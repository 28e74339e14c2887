package dev.millrace.engine;

import dev.millrace.engine.flight.StepRecorder;
import dev.millrace.engine.kv.BlockPool;
import dev.millrace.engine.schedule.LiveView;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.Limits;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine thread: drains what it was told, plans, has the plan carried out, publishes. It owns
 * the device, the blocks and every sequence, so nothing here is locked.
 */
final class EngineLoop implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(EngineLoop.class);

  private final LinkedBlockingQueue<EngineMessage> inbox;
  private final Planner planner;
  private final BlockPool pool;
  private final Roster roster;
  private final LiveView view;
  private final Outbox outbox;
  private final StepRunner steps;
  private final StepRecorder recorder;
  private volatile EngineStats stats;
  private boolean stopping;
  private volatile boolean finished;
  private final CompletableFuture<InferenceException> lost = new CompletableFuture<>();

  /** What requests are told that come too late. */
  private volatile InferenceException end =
      new InferenceException(ErrorCode.UNAVAILABLE, "the engine has stopped");

  EngineLoop(
      Engine.Parts parts,
      NamedScheduler scheduler,
      LinkedBlockingQueue<EngineMessage> inbox,
      Admission admission,
      Consumer<StepOutput> output) {
    var settings = parts.settings();
    this.inbox = inbox;
    this.planner = new Planner(scheduler);
    this.pool = new BlockPool(settings.blocks(), settings.blockSize());
    this.outbox = new Outbox(output);
    this.roster = new Roster(pool, settings.prefixCaching(), admission, outbox, parts.listener());
    this.steps = new StepRunner(parts, pool, roster, outbox);
    var limits =
        new Limits(
            settings.maxNumBatchedTokens(),
            settings.maxNumSeqs(),
            settings.blockSize(),
            settings.blocks());
    this.view = new LiveView(roster.waiting(), roster.running(), limits);
    this.recorder = new StepRecorder(roster.waiting(), roster.running(), settings.blockSize());
    this.stats = snapshot();
  }

  /** The state after the last step. Any thread. */
  EngineStats stats() {
    return stats;
  }

  /** True once nobody takes messages any more. Any thread. */
  boolean finished() {
    return finished;
  }

  /** Why requests fail once it has finished. Any thread. */
  InferenceException end() {
    return end;
  }

  /** Whether no step can follow an error. */
  static boolean endsAll(InferenceException error) {
    return error.code() == ErrorCode.MODEL_LOST || error.code() == ErrorCode.DEVICE_LOST;
  }

  /** Completed with what ended all, after every request has been told. Any thread. */
  CompletableFuture<InferenceException> lost() {
    return lost;
  }

  @Override
  public void run() {
    try {
      steps.attach();
      while (!stopping) {
        turn();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      if (e instanceof InferenceException typed && endsAll(typed)) {
        LOG.error("the engine ends: {}", typed.getMessage());
        end = typed;
        return;
      }
      LOG.error("the engine thread died", e);
      throw e;
    } finally {
      recorder.done(0);
      finished = true; // before the last look into the inbox
      planner.close();
      failAll(end);
      flush();
      if (endsAll(end)) {
        lost.complete(end);
      }
    }
  }

  /** Takes in what was said, then runs a step, or waits where there is nothing to do. */
  void turn() throws InterruptedException {
    drain();
    expire();
    flush(); // before any wait
    if (roster.isIdle() && !stopping) {
      steps.finish(); // of nobody any more
      recorder.done(0);
      assert noBlockIsHeld();
      await(Long.MAX_VALUE);
    } else if (!stopping) {
      step();
    }
    flush();
  }

  private boolean noBlockIsHeld() {
    pool.checkIntegrity(List.of());
    return true;
  }

  /** Hands over what has been said so far, and shows the state. */
  private void flush() {
    outbox.flush();
    stats = snapshot();
  }

  private void step() throws InterruptedException {
    var plan = planner.plan(view, pool.free());
    recorder.planned(planner.name(), planner.wasReplaced(), view, plan, planner.planNanos());
    if (!plan.grants().isEmpty() || !plan.preempt().isEmpty()) {
      steps.run(plan);
    } else if (steps.underWay() > 0) {
      steps.finish(); // then there is something new to plan for
    } else {
      recorder.done(0);
      await(plan.wakeAtNanos());
      return;
    }
    outbox.flush();
    recorder.done(steps.underWay());
  }

  private void drain() {
    for (var message = inbox.poll(); message != null; message = inbox.poll()) {
      handle(message);
    }
  }

  /** Waits until told something, or until the time on the engine's clock has come. */
  private void await(long wakeAtNanos) throws InterruptedException {
    long deadline = Math.min(wakeAtNanos, roster.deadlines().next());
    var message =
        deadline == Long.MAX_VALUE
            ? inbox.take()
            : inbox.poll(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
    if (message != null) {
      handle(message);
    }
  }

  private void handle(EngineMessage message) {
    switch (message) {
      case EngineMessage.Submit submit -> roster.enqueue(submit.generation());
      case EngineMessage.End end -> roster.end(end.generation(), end.error());
      case EngineMessage.Schedule(var scheduler, var done) -> {
        planner.replace(scheduler);
        stats = snapshot(); // who waits for this looks there next
        done.complete(null);
      }
      case EngineMessage.Fail(var error) -> throw error;
      case EngineMessage.Stop _ -> stopping = true;
    }
  }

  private void expire() {
    long now = System.nanoTime();
    var deadlines = roster.deadlines();
    for (var late = deadlines.expired(now); late != null; late = deadlines.expired(now)) {
      roster.end(late, Deadlines.error(late));
    }
  }

  private void failAll(InferenceException error) {
    for (var message = inbox.poll(); message != null; message = inbox.poll()) {
      switch (message) {
        case EngineMessage.Submit(var generation) -> roster.enqueue(generation);
        case EngineMessage.Schedule(_, var done) -> done.completeExceptionally(error);
        case EngineMessage.End _, EngineMessage.Fail _, EngineMessage.Stop _ -> {}
      }
    }
    roster.everyone().forEach(generation -> roster.end(generation, error));
  }

  private EngineStats snapshot() {
    return new EngineStats(
        roster.running().size(),
        roster.notRunning(),
        pool.free(),
        pool.total(),
        roster.running().stream().mapToInt(s -> pool.blocksFor(s.maxTotal())).sum(),
        planner.name(),
        planner.deposed(),
        roster.preemptions(),
        planner.refused());
  }
}
