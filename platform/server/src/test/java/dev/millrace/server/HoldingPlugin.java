package dev.millrace.server;

import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.SequenceView;
import dev.millrace.spi.schedule.StepPlan;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A scheduler that holds every sequence still, token by token brought to a thousand before its
 * longest length: so a request says by {@code max_tokens} where it is to be held.
 */
public final class HoldingPlugin implements SchedulerPlugin {
  static final int BEFORE_THE_END = 1000;
  private static final long LONG_NANOS = Duration.ofHours(1).toNanos();

  @Override
  public String name() {
    return "holding";
  }

  @Override
  public Scheduler create(Map<String, String> settings) {
    return HoldingPlugin::plan;
  }

  private static StepPlan plan(EngineView view) {
    var grants =
        Stream.of(view.running(), view.waiting())
            .flatMap(List::stream)
            .filter(HoldingPlugin::mayGoOn)
            .map(sequence -> new Grant(sequence.id(), 1))
            .toList();
    return grants.isEmpty()
        ? StepPlan.waitUntil(view.nowNanos() + LONG_NANOS)
        : StepPlan.of(grants);
  }

  private static boolean mayGoOn(SequenceView sequence) {
    return sequence.computed() < sequence.maxTotal() - BEFORE_THE_END;
  }
}
