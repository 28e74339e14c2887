package dev.millrace.compare;

import dev.millrace.loadtest.CompletionCall;
import dev.millrace.loadtest.LoadPlan;
import dev.millrace.loadtest.LoadResult;
import dev.millrace.loadtest.LoadRunner;
import dev.millrace.loadtest.Pace;
import dev.millrace.loadtest.Target;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** Sends load to one contender at a time: switches the server's scheduler, or turns to a peer. */
final class Lanes {
  private final CompareSettings settings;
  private final Progress progress;
  private final ServerProcess server;
  private final AdminApi api;
  private final Target own;
  private final Map<Contender.Peer, Target> peers = new HashMap<>();
  private final Map<Contender.Peer, AnswerCheck> peerChecks = new HashMap<>();
  private final AnswerCheck serverCheck = new AnswerCheck();
  private @Nullable String scheduler;

  Lanes(
      CompareSettings settings,
      Progress progress,
      ServerProcess server,
      AdminApi api,
      ServerInfo info) {
    this.settings = settings;
    this.progress = progress;
    this.server = server;
    this.api = api;
    this.own = new Target(server.base(), info.model(), settings.requestTimeout());
    for (var contender : settings.contenders()) {
      if (contender instanceof Contender.Peer peer) {
        peerChecks.put(peer, new AnswerCheck());
        // llama.cpp would answer from an earlier run's cache; nobody else knows the field
        var fields = Map.<String, Object>of("cache_prompt", false);
        String model = ServerInfo.ask(peer.base()).model();
        peers.put(peer, new Target(peer.base(), model, settings.requestTimeout(), fields));
      }
    }
  }

  AnswerCheck serverCheck() {
    return serverCheck;
  }

  /** KV blocks of the server's pool. */
  double totalBlocks() {
    return Timeline.parse(api.metrics()).getOrDefault("millrace:kv_blocks", Double.NaN);
  }

  /** Notes the answers to single requests, sent one after the other. */
  void learn(Contender contender, List<CompletionCall> calls) {
    var check = check(contender);
    if (calls.isEmpty() || check.alone() > 0) {
      return;
    }
    var plan = new LoadPlan("alone", calls, new Pace.ClosedLoop(1));
    var result = run(contender, "single requests", plan);
    requireSuccess(contender, result);
    check.learn(result);
  }

  /** A run that counts. {@code distinct} calls repeat. */
  Run measured(
      Contender contender,
      Run.Kind kind,
      int repetition,
      List<CompletionCall> calls,
      Pace pace,
      int distinct) {
    int users = pace instanceof Pace.ClosedLoop(int count) ? count : 0;
    String what =
        switch (kind) {
          case THROUGHPUT -> "closed";
          case LATENCY -> "open";
          case USERS -> "users";
        };
    int number = kind == Run.Kind.USERS ? users : repetition;
    server.resetPeak();
    var plan = new LoadPlan(contender.name() + "-" + what + "-" + number, calls, pace);
    var result = run(contender, what + " " + number, plan);
    if (kind != Run.Kind.USERS) {
      requireSuccess(contender, result);
    }
    var peak =
        switch (contender) {
          case Contender.Scheduler _ -> server.peakResidentBytes();
          case Contender.Peer _ -> OptionalLong.empty();
        };
    int wrong = check(contender).differences(result, distinct);
    return new Run(contender, kind, users, repetition, result, peak, wrong);
  }

  LoadResult run(Contender contender, String phase, LoadPlan plan) {
    var steps = progress.phase(contender.name() + ", " + phase, plan.calls().size());
    return switch (contender) {
      case Contender.Scheduler(String name) -> runOwn(name, plan, steps);
      case Contender.Peer peer ->
          LoadRunner.run(plan, Objects.requireNonNull(peers.get(peer)), settings.scratch(), steps);
    };
  }

  private LoadResult runOwn(String name, LoadPlan plan, IntConsumer steps) {
    if (!name.equals(scheduler)) {
      api.schedule(name);
      scheduler = name;
    }
    var result = LoadRunner.run(plan, own, settings.scratch(), steps);
    server.assertAlive();
    api.requireInCharge(name);
    return result;
  }

  private AnswerCheck check(Contender contender) {
    return switch (contender) {
      case Contender.Scheduler _ -> serverCheck;
      case Contender.Peer peer -> peerChecks.getOrDefault(peer, serverCheck);
    };
  }

  /** A run in which nothing succeeded says nothing of speed. */
  void requireSuccess(Contender contender, LoadResult result) {
    if (result.completed() == 0) {
      throw new CompareException(
          "with %s none of %d requests succeeded: %s"
              .formatted(contender.name(), result.failed(), result.samples()));
    }
  }
}
