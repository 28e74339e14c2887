package dev.millrace.engine.schedule;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import org.jspecify.annotations.Nullable;

/**
 * The rules a plan must keep. The engine applies them every step, the scheduler contract applies
 * them to every plan it sees. Block arithmetic is the view's. Keeps memory between checks, so that
 * a step allocates none; one thread.
 */
public final class PlanCheck {
  private final SequenceFinder<SequenceView> waiting = new SequenceFinder<>();
  private final SequenceFinder<SequenceView> running = new SequenceFinder<>();

  /**
   * Returns if the plan keeps all rules.
   *
   * @throws InferenceException {@code INVALID_PLAN} naming the rule it breaks
   */
  public void check(StepPlan plan, EngineView view) {
    waiting.search(view.waiting());
    running.search(view.running());
    int blocks = view.freeBlocks();
    for (long id : plan.preempt()) {
      var victim = running.find(id);
      if (victim == null) {
        throw broken("preempts sequence " + id + ", which is not running");
      }
      takeOnce(running, id);
      blocks += view.freedBy(victim);
    }
    int sequences = view.running().size() - plan.preempt().size();
    long tokens = 0;
    for (int i = 0; i < plan.grants().size(); i++) {
      Grant grant = plan.grants().get(i);
      long id = grant.sequence();
      var sequence = running.find(id);
      boolean admits = sequence == null;
      sequence = admits ? waiting.find(id) : sequence;
      if (sequence == null) {
        throw broken("grants tokens to unknown sequence " + id);
      }
      takeOnce(admits ? waiting : running, id);
      checkTokens(grant, sequence);
      tokens += grant.tokens();
      blocks -= view.blocksFor(sequence, grant.tokens());
      sequences += admits ? 1 : 0;
    }
    checkLimits(view, tokens, sequences, blocks);
    checkWait(plan, view);
    checkMemo(plan.memo());
  }

  /** A class of the plugin's would outlive its jar and could not be replayed. */
  private static void checkMemo(@Nullable Object memo) {
    if (memo != null && memo.getClass().getClassLoader() != null) {
      throw broken("leaves a memo of " + memo.getClass() + ", which is no class of the JDK");
    }
  }

  private static void checkTokens(Grant grant, SequenceView sequence) {
    int pending = sequence.pending();
    if (grant.tokens() < 1 || grant.tokens() > pending) {
      throw broken("grants " + grant.tokens() + " tokens, " + pending + " are pending");
    }
  }

  private static void checkLimits(EngineView view, long tokens, int sequences, int blocks) {
    var limits = view.limits();
    if (tokens > limits.tokensPerStep()) {
      throw broken("grants " + tokens + " tokens, the step holds " + limits.tokensPerStep());
    }
    if (sequences > limits.sequences()) {
      throw broken("runs " + sequences + " sequences, the limit is " + limits.sequences());
    }
    if (blocks < 0) {
      throw broken("needs " + -blocks + " more blocks than are free");
    }
  }

  /** A plan that does nothing while there is work must say until when. */
  private static void checkWait(StepPlan plan, EngineView view) {
    boolean idle = view.running().isEmpty() && view.waiting().isEmpty();
    if (!plan.grants().isEmpty() || idle) {
      return;
    }
    if (plan.wakeAtNanos() == Long.MAX_VALUE) {
      throw broken("grants nothing while there is work and names no time to wake at");
    }
    if (plan.wakeAtNanos() - view.nowNanos() <= 0) {
      throw broken("grants nothing and wants to wake at a time that has passed");
    }
  }

  private static void takeOnce(SequenceFinder<SequenceView> list, long id) {
    if (!list.take(id)) {
      throw broken("names sequence " + id + " twice");
    }
  }

  private static InferenceException broken(String rule) {
    return new InferenceException(ErrorCode.INVALID_PLAN, "the scheduler " + rule);
  }
}
