package dev.millrace.loadtest;

import java.nio.file.Path;
import java.util.function.IntConsumer;

/**
 * Runs load plans through Gatling in this JVM, one at a time. The JVM must be started with {@code
 * --add-opens=java.base/java.lang=ALL-UNNAMED}, which Gatling needs.
 */
public final class LoadRunner {
  private LoadRunner() {}

  /**
   * Runs a plan against a server and blocks until each of its calls has ended.
   *
   * @param scratch a folder Gatling may use for files of its own
   * @param progress told, from any thread, how many calls have ended
   */
  public static synchronized LoadResult run(
      LoadPlan plan, Target target, Path scratch, IntConsumer progress) {
    System.gc(); // now, so that it need not be in the run
    var run = new LoadRun(plan, target, progress);
    long started = System.currentTimeMillis();
    LoadRun.CURRENT.set(run);
    try {
      OfflineGatling.run(StreamSimulation.class, scratch);
    } finally {
      LoadRun.CURRENT.set(null);
    }
    var fault = run.fault();
    if (fault != null) {
      throw new IllegalStateException("the load generator failed in " + plan.name(), fault);
    }
    var result = run.measurements().result(plan.name(), started);
    long ended = result.completed() + result.failed();
    if (ended != plan.calls().size()) {
      throw new IllegalStateException(
          "Gatling ended after %d of %d calls of %s"
              .formatted(ended, plan.calls().size(), plan.name()));
    }
    return result;
  }
}
