package dev.millrace.engine;

import dev.millrace.engine.batch.BatchBuilder;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.kv.BlockPool;
import dev.millrace.engine.sample.Sampler;
import dev.millrace.engine.schedule.LiveView;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Limits;
import dev.millrace.spi.schedule.StepPlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engine thread: drains what it was told, plans, runs a step, samples, publishes. It owns the
 * device, the blocks and every sequence, so nothing here is locked.
 */
final class EngineLoop implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(EngineLoop.class);

  private final LinkedBlockingQueue<EngineMessage> inbox;
  private final DeviceModel model;
  private final Planner planner;
  private final BlockPool pool;
  private final Roster roster;
  private final LiveView view;
  private final BatchBuilder builder = new BatchBuilder();
  private final Sampler sampler;
  private final float[] logits;
  private final OutputSide output;
  private final EngineListener listener;
  private final List<Generation> granted = new ArrayList<>();
  private final List<OutputMessage> messages = new ArrayList<>();
  private volatile EngineStats stats;
  private final String schedulerName;
  private boolean stopping;
  private volatile boolean finished;

  EngineLoop(
      Engine.Parts parts,
      LinkedBlockingQueue<EngineMessage> inbox,
      Admission admission,
      OutputSide output) {
    var settings = parts.settings();
    this.inbox = inbox;
    this.model = parts.model();
    this.schedulerName = parts.schedulerName();
    this.planner = new Planner(schedulerName, parts.scheduler());
    this.pool = new BlockPool(settings.blocks(), settings.blockSize());
    this.roster = new Roster(pool, admission, parts.listener());
    var limits =
        new Limits(
            settings.maxNumBatchedTokens(),
            settings.maxNumSeqs(),
            settings.blockSize(),
            settings.blocks());
    this.view = new LiveView(roster.waiting(), roster.running(), limits);
    this.sampler = new Sampler(parts.vocabulary());
    this.logits = new float[parts.vocabulary()];
    this.output = output;
    this.listener = parts.listener();
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

  @Override
  public void run() {
    try {
      while (!stopping) {
        drain();
        expire();
        flush(); // before any wait
        if (roster.isIdle() && !stopping) {
          pool.checkIntegrity(List.of());
          await(Long.MAX_VALUE);
        } else if (!stopping) {
          step();
        }
        flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException | Error e) {
      LOG.error("the engine thread died", e);
      throw e;
    } finally {
      finished = true; // before the last look into the inbox
      failAll(new InferenceException(ErrorCode.UNAVAILABLE, "the engine has stopped"));
      flush();
    }
  }

  /** Hands over what has been said so far, as one message, and shows the state. */
  private void flush() {
    output.publish(messages);
    messages.clear();
    stats = snapshot();
  }

  private void step() throws InterruptedException {
    var plan = planner.plan(view, pool.free());
    if (plan.grants().isEmpty() && plan.preempt().isEmpty()) {
      await(plan.wakeAtNanos());
      return;
    }
    apply(plan);
    var batch = builder.batch();
    if (batch.rows() == 0) {
      return;
    }
    try {
      model.run(batch);
    } catch (RuntimeException e) {
      LOG.error("a step of {} rows failed", batch.rows(), e);
      loseStep(e);
      return;
    }
    publish(plan);
  }

  /** Makes the plan's changes and gathers its batch. */
  private void apply(StepPlan plan) {
    roster.preempt(plan.preempt());
    builder.clear();
    granted.clear();
    for (Grant grant : plan.grants()) {
      var generation = roster.admit(grant.sequence());
      var sequence = generation.sequence;
      pool.grow(sequence.blocks(), sequence.computed() + grant.tokens());
      builder.add(sequence, grant.tokens());
      granted.add(generation);
    }
  }

  private void publish(StepPlan plan) {
    int sampled = 0;
    int promptTokens = 0;
    for (int i = 0; i < granted.size(); i++) {
      var generation = granted.get(i);
      int tokens = plan.grants().get(i).tokens();
      int left = generation.sequence.promptLength() - generation.sequence.computed();
      promptTokens += Math.clamp(left, 0, tokens);
      generation.sequence.advance(tokens);
      if (generation.sequence.pending() == 0) {
        sample(generation, sampled++);
      }
    }
    listener.stepped(promptTokens, sampled);
  }

  private void sample(Generation generation, int pick) {
    var request = generation.request;
    try {
      model.logits(pick, logits);
      var token =
          sampler.sample(
              logits,
              request.sampling(),
              generation.sequence,
              generation.banned(),
              request.logprobs());
      generation.sequence.append(token.id());
      var reason = generation.reasonToEnd(token.id());
      messages.add(new OutputMessage.Sampled(generation, token, reason));
      measure(generation);
      if (reason != null) {
        roster.remove(generation);
      }
    } catch (InferenceException e) {
      end(generation, e);
    } catch (RuntimeException e) {
      end(generation, new InferenceException(ErrorCode.INTERNAL, "sampling failed: " + e, e));
    }
  }

  private void measure(Generation generation) {
    long now = System.nanoTime();
    if (generation.produced() == 1) {
      listener.firstToken(Duration.ofNanos(now - generation.sequence.arrivalNanos()));
    } else {
      listener.nextToken(Duration.ofNanos(now - generation.lastTokenNanos));
    }
    generation.lastTokenNanos = now;
  }

  private void loseStep(RuntimeException cause) {
    var error =
        cause instanceof InferenceException typed
            ? typed
            : new InferenceException(
                ErrorCode.DEVICE_FAILURE, "the step was lost: " + cause, cause);
    granted.forEach(generation -> end(generation, error));
  }

  private void drain() {
    for (var message = inbox.poll(); message != null; message = inbox.poll()) {
      handle(message);
    }
  }

  /** Waits until told something, or until the time on the engine's clock has come. */
  private void await(long wakeAtNanos) throws InterruptedException {
    long deadline = Math.min(wakeAtNanos, roster.nextDeadline());
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
      case EngineMessage.End end -> end(end.generation(), end.error());
      case EngineMessage.Stop _ -> stopping = true;
    }
  }

  private void end(Generation generation, @Nullable InferenceException error) {
    if (generation.over) {
      return;
    }
    roster.remove(generation);
    if (error != null) {
      messages.add(new OutputMessage.Failed(generation, error));
    }
  }

  private void expire() {
    long now = System.nanoTime();
    for (var generation = roster.expired(now);
        generation != null;
        generation = roster.expired(now)) {
      end(
          generation,
          new InferenceException(
              ErrorCode.TIMED_OUT, "not finished within " + generation.request.timeout()));
    }
  }

  private void failAll(InferenceException error) {
    roster.everyone().forEach(generation -> end(generation, error));
    for (var message = inbox.poll(); message != null; message = inbox.poll()) {
      if (message instanceof EngineMessage.Submit(var generation)) {
        roster.enqueue(generation);
        end(generation, error);
      }
    }
  }

  private EngineStats snapshot() {
    return new EngineStats(
        roster.running().size(),
        roster.waiting().size(),
        pool.free(),
        pool.total(),
        schedulerName,
        roster.preemptions(),
        planner.refused());
  }
}
