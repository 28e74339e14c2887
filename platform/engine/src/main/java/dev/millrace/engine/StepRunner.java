package dev.millrace.engine;

import dev.millrace.engine.batch.BatchBuilder;
import dev.millrace.engine.batch.TokenDraws;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.kv.BlockPool;
import dev.millrace.engine.kv.KvLease;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out one plan: blocks and batch, the device, then what its logits are for. Owned by the
 * engine thread.
 */
final class StepRunner {
  private static final Logger LOG = LoggerFactory.getLogger(StepRunner.class);

  private final DeviceModel model;
  private final BlockPool pool;
  private final Roster roster;
  private final EngineListener listener;
  private final TokenChooser chooser;
  private final BatchBuilder builder = new BatchBuilder();
  private final KvLease.BlockCopies copies = builder::copyBlock;
  private final TokenDraws draws = new TokenDraws();
  private final List<Generation> granted = new ArrayList<>();

  StepRunner(Engine.Parts parts, BlockPool pool, Roster roster, Outbox outbox) {
    this.model = parts.model();
    this.pool = pool;
    this.roster = roster;
    this.listener = parts.listener();
    this.chooser = new TokenChooser(model, parts.vocabulary(), roster, outbox);
  }

  /** Says that the calling thread will run all plans. */
  void attach() {
    model.attach();
  }

  /**
   * Runs a plan that keeps all rules. A step that the device loses fails its requests.
   *
   * @throws InferenceException if there can be no further step
   */
  void run(StepPlan plan) {
    apply(plan);
    if (granted.isEmpty()) {
      return;
    }
    try {
      model.run(builder.batch());
      draw(plan);
    } catch (RuntimeException | OutOfMemoryError | StackOverflowError | LinkageError e) {
      LOG.error("a step of {} rows failed", builder.batch().rows(), e);
      lose(e);
      return;
    }
    harvest(plan);
  }

  /** Makes the plan's changes, in the order that leases ask for, and gathers its batch. */
  private void apply(StepPlan plan) {
    roster.preempt(plan.preempt());
    builder.clear();
    granted.clear();
    roster.admit(plan.grants(), granted);
    for (int i = 0; i < granted.size(); i++) {
      var generation = granted.get(i);
      int tokens = plan.grants().get(i).tokens();
      generation.sequence.grow(tokens, copies);
      builder.add(generation.sequence, tokens, generation.firstPick());
    }
  }

  /** Has the device choose the tokens of those who ask for nothing but tokens. */
  private void draw(StepPlan plan) {
    draws.clear(builder.batch().picks());
    int picks = 0;
    for (int i = 0; i < granted.size(); i++) {
      var generation = granted.get(i);
      int end = generation.sequence.computed() + plan.grants().get(i).tokens();
      picks += rows(generation, end);
      if (end == generation.sequence.total()) {
        chooser.askFor(generation, picks - 1, draws);
      }
    }
    if (draws.count() > 0) {
      model.draw(draws);
    }
  }

  /** Rows of a sequence that are picked, if it is computed up to here. */
  private static int rows(Generation generation, int end) {
    return Math.max(0, end - Math.max(generation.firstPick(), generation.sequence.computed()));
  }

  private void harvest(StepPlan plan) {
    int picks = 0;
    int sampled = 0;
    int promptTokens = 0;
    for (int i = 0; i < granted.size(); i++) {
      var generation = granted.get(i);
      var sequence = generation.sequence;
      int tokens = plan.grants().get(i).tokens();
      promptTokens += Math.clamp(sequence.promptLength() - sequence.computed(), 0, tokens);
      int rows = rows(generation, sequence.computed() + tokens);
      sequence.advance(tokens);
      sampled += chooser.take(generation, picks, rows, draws);
      picks += rows;
    }
    listener.stepped(promptTokens, sampled);
  }

  private void lose(Throwable cause) {
    pool.forgetAll(); // whatever the device wrote before it failed
    var error =
        cause instanceof InferenceException typed
            ? typed
            : new InferenceException(
                ErrorCode.DEVICE_FAILURE, "the step was lost: " + cause, cause);
    granted.forEach(generation -> roster.end(generation, error));
    if (EngineLoop.endsAll(error)) {
      throw error;
    }
  }
}
