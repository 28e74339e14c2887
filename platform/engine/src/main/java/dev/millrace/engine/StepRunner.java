package dev.millrace.engine;

import dev.millrace.engine.batch.BatchBuilder;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.kv.BlockPool;
import dev.millrace.engine.sample.Sampler;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.StepPlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out one plan: blocks and batch, the device, then a token for every sequence that is
 * computed to its end. Owned by the engine thread.
 */
final class StepRunner {
  private static final Logger LOG = LoggerFactory.getLogger(StepRunner.class);

  private final DeviceModel model;
  private final BlockPool pool;
  private final Roster roster;
  private final Outbox outbox;
  private final EngineListener listener;
  private final Sampler sampler;
  private final float[] logits;
  private final BatchBuilder builder = new BatchBuilder();
  private final List<Generation> granted = new ArrayList<>();

  StepRunner(Engine.Parts parts, BlockPool pool, Roster roster, Outbox outbox) {
    this.model = parts.model();
    this.pool = pool;
    this.roster = roster;
    this.outbox = outbox;
    this.listener = parts.listener();
    this.sampler = new Sampler(parts.vocabulary());
    this.logits = new float[parts.vocabulary()];
  }

  /** Runs a plan that keeps all rules. A step that the device loses fails its requests. */
  void run(StepPlan plan) {
    apply(plan);
    if (granted.isEmpty()) {
      return;
    }
    try {
      model.run(builder.batch());
    } catch (RuntimeException | OutOfMemoryError e) {
      LOG.error("a step of {} rows failed", builder.batch().rows(), e);
      lose(e);
      return;
    }
    harvest(plan);
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

  private void harvest(StepPlan plan) {
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
              request.logprobs().answer());
      generation.sequence.append(token.id());
      var reason = generation.reasonToEnd(token.id());
      outbox.add(new OutputMessage.Sampled(generation, token, reason));
      measure(generation);
      if (reason != null) {
        roster.remove(generation);
      }
    } catch (InferenceException e) {
      roster.end(generation, e);
    } catch (RuntimeException | OutOfMemoryError e) {
      roster.end(
          generation, new InferenceException(ErrorCode.INTERNAL, "sampling failed: " + e, e));
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

  private void lose(Throwable cause) {
    var error =
        cause instanceof InferenceException typed
            ? typed
            : new InferenceException(
                ErrorCode.DEVICE_FAILURE, "the step was lost: " + cause, cause);
    granted.forEach(generation -> roster.end(generation, error));
  }
}
