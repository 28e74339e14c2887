package dev.millrace.engine.schedule;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The rules a plan must keep. The engine applies them every step, the scheduler contract applies
 * them to every plan it sees. Block arithmetic is the view's.
 */
public final class PlanCheck {
  private PlanCheck() {}

  /**
   * Returns if the plan keeps all rules.
   *
   * @throws InferenceException {@code INVALID_PLAN} naming the rule it breaks
   */
  public static void check(StepPlan plan, EngineView view) {
    var waiting = byId(view.waiting());
    var running = byId(view.running());
    var seen = new HashSet<Long>();
    int blocks = view.freeBlocks() + freed(plan, view, running, seen);
    int sequences = running.size() - plan.preempt().size();
    int tokens = 0;
    for (Grant grant : plan.grants()) {
      boolean admits = waiting.containsKey(grant.sequence());
      var sequence = admits ? waiting.get(grant.sequence()) : running.get(grant.sequence());
      if (sequence == null) {
        throw broken("grants tokens to unknown sequence " + grant.sequence());
      }
      require(seen.add(grant.sequence()), "names sequence " + grant.sequence() + " twice");
      require(
          grant.tokens() >= 1 && grant.tokens() <= sequence.pending(),
          "grants " + grant.tokens() + " tokens, " + sequence.pending() + " are pending");
      tokens += grant.tokens();
      blocks -= view.blocksFor(sequence, grant.tokens());
      sequences += admits ? 1 : 0;
    }
    var limits = view.limits();
    require(
        tokens <= limits.tokensPerStep(),
        "grants " + tokens + " tokens, the step holds " + limits.tokensPerStep());
    require(
        sequences <= limits.sequences(),
        "runs " + sequences + " sequences, the limit is " + limits.sequences());
    require(blocks >= 0, "needs " + -blocks + " more blocks than are free");
    require(
        !plan.grants().isEmpty() || plan.wakeAtNanos() != Long.MAX_VALUE || isIdle(view),
        "grants nothing while there is work and names no time to wake at");
    require(
        !plan.grants().isEmpty() || plan.wakeAtNanos() - view.nowNanos() > 0 || isIdle(view),
        "grants nothing and wants to wake at a time that has passed");
  }

  private static boolean isIdle(EngineView view) {
    return view.running().isEmpty() && view.waiting().isEmpty();
  }

  private static int freed(
      StepPlan plan, EngineView view, Map<Long, SequenceView> running, Set<Long> seen) {
    int blocks = 0;
    for (long id : plan.preempt()) {
      var victim = running.get(id);
      if (victim == null) {
        throw broken("preempts sequence " + id + ", which is not running");
      }
      require(seen.add(id), "preempts sequence " + id + " twice");
      blocks += view.freedBy(victim);
    }
    return blocks;
  }

  private static Map<Long, SequenceView> byId(List<SequenceView> sequences) {
    var map = HashMap.<Long, SequenceView>newHashMap(sequences.size());
    sequences.forEach(s -> map.put(s.id(), s));
    return map;
  }

  private static void require(boolean kept, String rule) {
    if (!kept) {
      throw broken(rule);
    }
  }

  private static InferenceException broken(String rule) {
    return new InferenceException(ErrorCode.INVALID_PLAN, "the scheduler " + rule);
  }
}
