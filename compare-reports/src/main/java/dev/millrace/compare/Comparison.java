package dev.millrace.compare;

import dev.millrace.loadtest.Arrivals;
import dev.millrace.loadtest.LoadPlan;
import dev.millrace.loadtest.LoadResult;
import dev.millrace.loadtest.LoadRunner;
import dev.millrace.loadtest.Pace;
import dev.millrace.loadtest.Target;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Measures the columns one after the other: start a server, warm it up, closed loop, open loop,
 * stop. The open loop's rate follows from the first column's capacity and is the same for all.
 */
final class Comparison {
  /** The share of the first column's measured capacity at which latencies are taken. */
  static final double OPEN_LOOP_LOAD = 0.7;

  private final CompareSettings settings;
  private final Progress progress;

  Comparison(CompareSettings settings, Progress progress) {
    this.settings = settings;
    this.progress = progress;
  }

  List<Column> run() throws InterruptedException {
    var columns = new ArrayList<Column>();
    try {
      for (String scheduler : settings.schedulers()) {
        columns.add(measure(scheduler, columns.isEmpty() ? null : columns.getFirst()));
      }
    } finally {
      progress.end();
    }
    return List.copyOf(columns);
  }

  private Column measure(String scheduler, @Nullable Column first) throws InterruptedException {
    var ports = ServerProcess.Ports.free();
    var log = settings.out().resolve("server-" + scheduler + ".log");
    progress.phase(scheduler + ": starting the server");
    try (var server = ServerProcess.start(command(scheduler, ports), ports, log)) {
      var info = server.awaitReady(settings.startTimeout());
      warmUp(scheduler, server, info);
      // the first column sets calls and arrivals for all
      var calls = first == null ? settings.measured(info.contextLimit()).calls() : first.calls();
      var users = new Pace.ClosedLoop(settings.users());
      var closed =
          run(
              scheduler,
              "closed loop",
              new LoadPlan(scheduler + "-closed", calls, users),
              server,
              info);
      requireSuccess(scheduler, closed);
      double capacity = (first == null ? closed : first.closed()).requestsPerSecond();
      var arrivals = Arrivals.poisson(calls.size(), OPEN_LOOP_LOAD * capacity, settings.seed());
      var open =
          run(
              scheduler,
              "open loop",
              new LoadPlan(scheduler + "-open", calls, new Pace.OpenLoop(arrivals)),
              server,
              info);
      return new Column(scheduler, calls, closed, open, server.peakResidentBytes());
    }
  }

  private void warmUp(String scheduler, ServerProcess server, ServerInfo info) {
    var calls = settings.warmUp(info.contextLimit()).calls();
    var pace = new Pace.ClosedLoop(settings.users());
    var result = run(scheduler, "warm-up", new LoadPlan("warm-up", calls, pace), server, info);
    requireSuccess(scheduler, result);
  }

  private LoadResult run(
      String scheduler, String phase, LoadPlan plan, ServerProcess server, ServerInfo info) {
    var steps = progress.phase(scheduler + ": " + phase, plan.calls().size());
    var target = new Target(server.base(), info.model(), settings.requestTimeout());
    var result = LoadRunner.run(plan, target, settings.out(), steps);
    server.assertAlive();
    return result;
  }

  /** A run in which nothing succeeded says nothing of speed. */
  private static void requireSuccess(String scheduler, LoadResult result) {
    if (result.completed() == 0) {
      throw new CompareException(
          "with the scheduler %s none of %d requests succeeded: %s"
              .formatted(scheduler, result.failed(), result.samples()));
    }
  }

  /** The server's command line, the same for all columns but for scheduler and ports. */
  private List<String> command(String scheduler, ServerProcess.Ports ports) {
    String launcher = settings.launcher().toAbsolutePath().toString();
    var command = new ArrayList<>(List.of(launcher, "serve"));
    var model = settings.model();
    if (model != null) {
      command.addAll(List.of("--model", model.toString()));
    }
    command.addAll(List.of("--scheduler", scheduler));
    command.addAll(List.of("--max-num-seqs", Integer.toString(settings.maxNumSeqs())));
    command.addAll(List.of("--host", "127.0.0.1"));
    command.addAll(List.of("--port", Integer.toString(ports.http())));
    command.addAll(List.of("--admin-port", Integer.toString(ports.admin())));
    command.addAll(settings.forServe());
    return command;
  }
}
