package dev.millrace.engine.flight;

import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Plans as text: grants, preempted sequences and the time to wake, between bars. {@code *5} stands
 * for one token for each of the first five running sequences, which is what most steps begin with.
 */
final class PlanText {
  private PlanText() {}

  static String write(StepPlan plan, List<? extends SequenceView> running) {
    var out = new StringBuilder();
    var grants = plan.grants();
    int decodes = 0;
    while (decodes < grants.size()
        && decodes < running.size()
        && grants.get(decodes).tokens() == 1
        && grants.get(decodes).sequence() == running.get(decodes).id()) {
      decodes++;
    }
    if (decodes > 0) {
      out.append('*').append(decodes);
    }
    for (int i = decodes; i < grants.size(); i++) {
      var grant = grants.get(i);
      out.append(' ').append(grant.sequence()).append(':').append(grant.tokens());
    }
    out.append('|');
    for (long id : plan.preempt()) {
      out.append(' ').append(id);
    }
    out.append('|');
    if (plan.wakeAtNanos() != Long.MAX_VALUE) {
      out.append(plan.wakeAtNanos());
    }
    return out.toString();
  }

  static StepPlan read(String text, List<? extends SequenceView> running, @Nullable Object memo) {
    var parts = text.split("\\|", -1);
    var grants = new ArrayList<Grant>();
    for (String grant : parts[0].split(" ", -1)) {
      if (grant.startsWith("*")) {
        for (var sequence : running.subList(0, Integer.parseInt(grant.substring(1)))) {
          grants.add(new Grant(sequence.id(), 1));
        }
      } else if (!grant.isEmpty()) {
        int colon = grant.indexOf(':');
        grants.add(
            new Grant(
                Long.parseLong(grant.substring(0, colon)),
                Integer.parseInt(grant.substring(colon + 1))));
      }
    }
    var preempt = new ArrayList<Long>();
    for (String id : parts[1].split(" ", -1)) {
      if (!id.isEmpty()) {
        preempt.add(Long.valueOf(id));
      }
    }
    long wakeAt = parts[2].isEmpty() ? Long.MAX_VALUE : Long.parseLong(parts[2]);
    return new StepPlan(grants, preempt, wakeAt, memo);
  }
}
