package dev.millrace.engine;

import dev.millrace.engine.batch.BatchBuilder;
import dev.millrace.engine.device.DeviceModel;
import dev.millrace.engine.kv.BlockPool;
import dev.millrace.engine.kv.KvLease;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out plans: blocks and batch, the device, then what its logits are for. Where the device
 * has steps ahead, a step whose tokens it draws itself is left under way: its sequences count as
 * going on, and what they have drawn is taken behind the launch of the next step. Blocks that are
 * given back meanwhile may still be written to; whoever gets them writes later, in a step behind
 * that one. Owned by the engine thread.
 */
final class StepRunner {
  private static final Logger LOG = LoggerFactory.getLogger(StepRunner.class);

  private final DeviceModel model;
  private final BlockPool pool;
  private final Roster roster;
  private final EngineListener listener;
  private final TokenChooser chooser;
  private final Outbox outbox;
  private final BatchBuilder builder = new BatchBuilder();
  private final KvLease.BlockCopies copies = builder::copyBlock;
  private final List<Generation> granted = new ArrayList<>();
  private Step last = new Step();
  private Step next = new Step();
  private boolean underWay; // the last step

  StepRunner(Engine.Parts parts, BlockPool pool, Roster roster, Outbox outbox) {
    this.model = parts.model();
    this.pool = pool;
    this.roster = roster;
    this.listener = parts.listener();
    this.outbox = outbox;
    this.chooser = new TokenChooser(model, parts.vocabulary(), roster, outbox);
  }

  /** Says that the calling thread will run all plans. */
  void attach() {
    model.attach();
  }

  /** Steps whose results are not known yet. */
  int underWay() {
    return underWay ? 1 : 0;
  }

  /**
   * Runs a plan that keeps all rules. A step that the device loses fails its requests.
   *
   * @throws InferenceException if there can be no further step
   */
  void run(StepPlan plan) {
    var step = next;
    apply(plan, step);
    var failure = step.isEmpty() ? null : launched(step);
    var failureBefore = settled();
    if (step.isEmpty()) {
      return;
    }
    var cause = failure == null ? failureBefore : failure;
    if (cause != null) {
      lose(step, cause);
      return;
    }
    next = last;
    last = step;
    underWay = true;
    boolean stays = model.stepsAhead() > 0 && isDrawnWhole(step);
    advance(step, stays);
    if (!stays) {
      finish();
    }
  }

  /**
   * Waits for the step that is under way, if there is one, and takes what comes of it.
   *
   * @throws InferenceException if there can be no further step
   */
  void finish() {
    var _ = settled();
  }

  /** Makes the plan's changes, in the order that leases ask for, and gathers its batch. */
  private void apply(StepPlan plan, Step step) {
    roster.preempt(plan.preempt());
    builder.clear(last.draws());
    step.clear();
    granted.clear();
    roster.admit(plan.grants(), granted);
    for (int i = 0; i < granted.size(); i++) {
      var generation = granted.get(i);
      if (generation.sequence.expectsItsLast()) {
        continue; // it ends with the step under way
      }
      int tokens = plan.grants().get(i).tokens();
      int picks = builder.batch().picks();
      generation.sequence.grow(tokens, copies);
      builder.add(generation.sequence, tokens, generation.firstPick());
      step.add(generation, tokens, builder.batch().picks() - picks);
    }
  }

  /** Puts a step behind the one under way; returns why that failed, or null. */
  private @Nullable Throwable launched(Step step) {
    try {
      model.run(builder.batch());
      askFor(step);
      model.draw(step.draws());
      return null;
    } catch (RuntimeException | OutOfMemoryError | StackOverflowError | LinkageError e) {
      return e;
    }
  }

  /** Has the device choose the tokens of those who ask for nothing but tokens. */
  private void askFor(Step step) {
    step.draws().clear(step.allPicks());
    int picks = 0;
    for (int i = 0; i < step.size(); i++) {
      var sequence = step.generation(i).sequence;
      picks += step.picks(i);
      if (sequence.computed() + step.tokens(i) == sequence.total()) {
        chooser.askFor(step.generation(i), picks - 1, step.draws());
      }
    }
  }

  /** Whether nobody needs its logits: not for a token, nor to report them, nor for a sibling. */
  private static boolean isDrawnWhole(Step step) {
    for (int i = 0; i < step.size(); i++) {
      if (step.picks(i) > 0 && !step.generation(i).group.heldBack().isEmpty()) {
        return false;
      }
    }
    return step.draws().count() == step.allPicks();
  }

  /** Counts what is being computed; where it stays under way, what is being drawn as well. */
  private static void advance(Step step, boolean stays) {
    int picks = 0;
    for (int i = 0; i < step.size(); i++) {
      var generation = step.generation(i);
      picks += step.picks(i);
      if (generation.over) {
        continue; // with the step before: its row was in vain
      }
      generation.sequence.advance(step.tokens(i));
      if (stays && step.picks(i) > 0) {
        generation.sequence.expect(picks - 1);
      }
    }
  }

  /** Waits for what is under way and takes what comes of it; returns why it was lost, or null. */
  private @Nullable Throwable settled() {
    if (!underWay) {
      return null;
    }
    underWay = false;
    try {
      model.await(last.draws());
    } catch (RuntimeException | OutOfMemoryError | StackOverflowError | LinkageError e) {
      lose(last, e);
      return e;
    }
    harvest(last);
    return null;
  }

  private void harvest(Step step) {
    int picks = 0;
    int sampled = 0;
    for (int i = 0; i < step.size(); i++) {
      var generation = step.generation(i);
      if (!generation.over) {
        sampled += chooser.take(generation, picks, step.picks(i), step.draws());
      }
      picks += step.picks(i);
    }
    listener.stepped(step.promptTokens(), sampled);
    outbox.flush(); // before another step is waited for
  }

  private void lose(Step step, Throwable cause) {
    LOG.error("a step of {} sequences failed", step.size(), cause);
    pool.forgetAll(); // whatever the device wrote before it failed
    var error =
        cause instanceof InferenceException typed
            ? typed
            : new InferenceException(
                ErrorCode.DEVICE_FAILURE, "the step was lost: " + cause, cause);
    for (int i = 0; i < step.size(); i++) {
      roster.end(step.generation(i), error);
    }
    if (EngineLoop.endsAll(error)) {
      throw error;
    }
  }
}
