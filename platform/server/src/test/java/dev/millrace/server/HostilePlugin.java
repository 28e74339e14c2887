package dev.millrace.server;

import dev.millrace.spi.SchedulerPlugin;
import dev.millrace.spi.schedule.EngineView;
import dev.millrace.spi.schedule.Grant;
import dev.millrace.spi.schedule.Scheduler;
import dev.millrace.spi.schedule.StepPlan;
import java.util.List;
import java.util.Map;

/** A scheduler that does what its setting {@code mode} says, none of it good. */
public final class HostilePlugin implements SchedulerPlugin {
  @Override
  public String name() {
    return "hostile";
  }

  @Override
  public Scheduler create(Map<String, String> settings) {
    var mode = settings.getOrDefault("mode", "throws");
    return view -> plan(mode, view);
  }

  private static StepPlan plan(String mode, EngineView view) {
    var all = view.running().isEmpty() ? view.waiting() : view.running();
    long id = all.getFirst().id();
    return switch (mode) {
      case "throws" -> throw new IllegalStateException("a fault of the plugin");
      case "error" -> throw new Error("a grave fault of the plugin");
      case "deep" -> plan(mode, view);
      case "memory" -> throw new OutOfMemoryError("a greedy plugin");
      case "null" -> none();
      case "slow" -> sleep(60, view);
      case "stuck" -> sleep(3_600_000, view);
      case "interrupts" -> {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted itself");
      }
      case "unknown" -> StepPlan.of(List.of(new Grant(Long.MAX_VALUE, 1)));
      case "twice" -> StepPlan.of(List.of(new Grant(id, 1), new Grant(id, 1)));
      case "much" -> StepPlan.of(List.of(new Grant(id, Integer.MAX_VALUE)));
      case "evicts" -> StepPlan.of(List.of(new Grant(id, 1)), List.of(id));
      case "past" -> StepPlan.waitUntil(view.nowNanos() - 1);
      case "memo" -> StepPlan.of(List.of(new Grant(id, 1))).withMemo(new HostilePlugin());
      default -> throw new IllegalArgumentException(mode);
    };
  }

  @SuppressWarnings("NullAway") // what a plugin must not do
  private static StepPlan none() {
    return null;
  }

  private static StepPlan sleep(long millis, EngineView view) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException _) {
      // goes on as if nothing had been
    }
    return StepPlan.waitUntil(view.nowNanos() + 1_000_000_000);
  }
}
