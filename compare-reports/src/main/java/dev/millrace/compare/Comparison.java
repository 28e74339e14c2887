package dev.millrace.compare;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.loadtest.CompletionCall;
import dev.millrace.loadtest.LoadPlan;
import dev.millrace.loadtest.LoadResult;
import dev.millrace.loadtest.Pace;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a comparison: one server process, whose scheduler is switched between runs, and peers that
 * run already. Warm-ups, answers to single requests, then the runs of the contenders in turns: A B
 * A B.
 */
final class Comparison {
  /** The share of the baseline's measured capacity at which latencies are taken. */
  static final double OPEN_LOOP_LOAD = 0.7;

  private final CompareSettings settings;
  private final Progress progress;
  private final Map<Contender, List<Run>> runs = new LinkedHashMap<>();

  Comparison(CompareSettings settings, Progress progress) {
    this.settings = settings;
    this.progress = progress;
    settings.contenders().forEach(contender -> runs.put(contender, new ArrayList<>()));
  }

  Contest run() throws InterruptedException {
    var ports = ServerProcess.Ports.free();
    progress.begin(settings.seconds());
    progress.phase("starting the server");
    try (var server =
            ServerProcess.start(
                settings.serveCommand(ports), ports, settings.out().resolve("server.log"));
        var api = new AdminApi(server.base(), server.admin())) {
      var info = server.awaitReady(settings.startTimeout());
      var model = api.model();
      var lanes = new Lanes(settings, progress, server, api, info);
      try (var timeline = Timeline.start(api, server)) {
        return measure(lanes, info, model, timeline);
      }
    } finally {
      progress.end();
    }
  }

  private Contest measure(Lanes lanes, ServerInfo info, JsonNode model, Timeline timeline) {
    var sizing =
        new Sizing(settings.seconds(), settings.contenders().size(), settings.repetitions());
    var warm = new ArrayList<LoadResult>();
    for (var contender : settings.contenders()) {
      warm.add(warmUp(lanes, contender, sizing, info));
    }
    int requests =
        settings.requests() > 0 ? settings.requests() : sizing.measured(warm, settings.users());
    var calls = settings.measured(requests, info.contextLimit()).calls();
    for (var contender : settings.contenders()) {
      lanes.learn(contender, calls.subList(0, Math.min(settings.check(), calls.size())));
    }
    for (int repetition = 1; repetition <= settings.repetitions(); repetition++) {
      for (var contender : settings.contenders()) {
        var pace = new Pace.ClosedLoop(settings.users());
        add(lanes.measured(contender, Run.Kind.THROUGHPUT, repetition, calls, pace, calls.size()));
      }
    }
    double rate = OPEN_LOOP_LOAD * capacity();
    for (int repetition = 1; repetition <= settings.repetitions(); repetition++) {
      var arrivals = settings.arrivals().schedule(calls.size(), rate, settings.seed() + repetition);
      for (var contender : settings.contenders()) {
        var pace = new Pace.OpenLoop(arrivals);
        add(lanes.measured(contender, Run.Kind.LATENCY, repetition, calls, pace, calls.size()));
      }
    }
    if (settings.mostUsers() > 0) {
      new UserLadder(lanes, settings, sizing).climb(calls).forEach(this::add);
    }
    var check = lanes.serverCheck();
    var columns = runs.entrySet().stream().map(e -> new Column(e.getKey(), e.getValue())).toList();
    return new Contest(
        model,
        calls,
        rate,
        check.alone(),
        check.compared(),
        lanes.totalBlocks(),
        columns,
        timeline.samples());
  }

  private void add(Run run) {
    runs.getOrDefault(run.contender(), new ArrayList<>()).add(run);
  }

  /** The baseline's median capacity in requests per second. */
  private double capacity() {
    var baseline = runs.getOrDefault(settings.contenders().getFirst(), List.of());
    return Spread.of(baseline.stream().map(run -> run.result().requestsPerSecond()).toList())
        .median();
  }

  /** A few requests, then ever more until a twentieth of the time has gone by in one go. */
  private LoadResult warmUp(Lanes lanes, Contender contender, Sizing sizing, ServerInfo info) {
    var pace = new Pace.ClosedLoop(settings.users());
    int requests = settings.maxNumSeqs();
    while (true) {
      var calls = warmUpCalls(requests, info);
      var result = lanes.run(contender, "warm-up", new LoadPlan("warm-up", calls, pace));
      lanes.requireSuccess(contender, result);
      int more = settings.requests() > 0 ? settings.requests() / 2 : sizing.warmUp(result);
      if (more < 2 * requests) {
        return result;
      }
      requests = more;
    }
  }

  private List<CompletionCall> warmUpCalls(int requests, ServerInfo info) {
    return settings.warmUp(requests, info.contextLimit()).calls();
  }
}
