package dev.millrace.compare.cpu;

import dev.millrace.compare.Spread;
import dev.millrace.compare.cpu.Bench.Turn;
import dev.millrace.loadtest.CompletionCall;
import dev.millrace.loadtest.LengthShape;
import dev.millrace.loadtest.LoadResult;
import dev.millrace.loadtest.Workload;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Rows over HTTP: many users of the small model, with the load generator on the same cores. */
final class HttpRows {
  private static final int USERS = 32;
  private static final int PROMPT = 128;
  private static final int OUTPUT = 64;
  private static final int CONTEXT = 1024;
  private static final int REQUESTS = 64;
  private static final int[] BATCHES = {8, 16, 32};

  /** Requests of a run of the static server, which may need a minute for them. */
  private static final int FEW = 32;

  private final Bench bench;
  private final Path model;

  /** Rows of a model's directory. */
  HttpRows(Bench bench, Path model) {
    this.bench = bench;
    this.model = model;
  }

  /** Output tokens per second and P99 TTFT, with lengths of a shape. */
  List<Row> measure(RowName name, LengthShape lengths) {
    int look = bench.speed().looks();
    var calls = new Workload(lengths, REQUESTS, PROMPT, OUTPUT, CONTEXT, 1).calls();
    var warm = new Workload(lengths, USERS, PROMPT, OUTPUT / 2, CONTEXT, 2).calls();
    var also = bench.settings().also();
    var servers = new ArrayList<Served>();
    var results = new ArrayList<List<LoadResult>>();
    try {
      servers.add(Served.own(bench, own(List.of()), Map.of()));
      if (!also.isEmpty()) {
        servers.add(Served.own(bench.settings().alsoName(), bench, own(also), Map.of()));
      }
      var gguf = bench.settings().models().smallGguf();
      if (bench.settings().peers().llama().isPresent() && gguf.isPresent()) {
        servers.add(Served.llama(bench, gguf.get(), USERS, CONTEXT));
      }
      var turns = new ArrayList<Turn>();
      for (var server : servers) {
        server.send(bench, warm, USERS);
        var own = new ArrayList<LoadResult>();
        results.add(own);
        turns.add(new Turn(server.name(), () -> throughput(server, calls, own)));
      }
      bench.turns(name.toString(), turns);
    } finally {
      servers.forEach(Served::close);
    }
    var readings = new ArrayList<Reading>();
    var firsts = new ArrayList<Reading>();
    for (int i = 0; i < servers.size(); i++) {
      add(servers.get(i).name(), results.get(i), readings, firsts);
    }
    var remarks = new ArrayList<String>();
    if (name == RowName.HTTP_CHAT) {
      transformers(calls, readings, firsts, remarks);
    }
    remarks.add(late(results.getFirst()));
    if (!also.isEmpty()) {
      remarks.add("at best: 8-bit products");
    }
    return rows(name, lengths, calls, look, readings, firsts, remarks);
  }

  private double throughput(Served server, List<CompletionCall> calls, List<LoadResult> results) {
    var result = server.send(bench, calls, USERS);
    results.add(result);
    return result.outputTokensPerSecond();
  }

  private static void add(
      String who, List<LoadResult> results, List<Reading> readings, List<Reading> firsts) {
    readings.add(
        new Reading(who, results.stream().map(LoadResult::outputTokensPerSecond).toList()));
    firsts.add(new Reading(who, results.stream().map(HttpRows::slowestFirst).toList()));
  }

  /** P99 of the time to the first token, in milliseconds. */
  private static double slowestFirst(LoadResult result) {
    return result.ttft().getValueAtPercentile(99) / 1e6;
  }

  private static String late(List<LoadResult> results) {
    double late =
        Spread.of(results.stream().map(one -> one.lag().getValueAtPercentile(99) / 1e6).toList())
            .median();
    return "the load generator, on the same cores, was late by %.1f ms at P99".formatted(late);
  }

  /** The static server, once with each size of batches; the best of them counts. */
  private void transformers(
      List<CompletionCall> calls,
      List<Reading> readings,
      List<Reading> firsts,
      List<String> remarks) {
    if (bench.settings().peers().staticServer().isEmpty()) {
      remarks.add(Bench.NO_PEER + "no --static-server");
      return;
    }
    LoadResult best = null;
    String bestName = "";
    var all = new ArrayList<String>();
    for (int batch : BATCHES) {
      try (var server = Served.transformers(bench, model, batch)) {
        server.send(bench, calls.subList(0, 1), 1); // warms up
        bench.tell("http-chat, " + server.name());
        var result = server.send(bench, calls.subList(0, FEW), USERS);
        all.add("%d: %.1f".formatted(batch, result.outputTokensPerSecond()));
        if (best == null || result.outputTokensPerSecond() > best.outputTokensPerSecond()) {
          best = result;
          bestName = server.name();
        }
      }
    }
    if (best != null) {
      add(bestName, List.of(best), readings, firsts);
      remarks.add(
          "transformers by batch, output tok/s of the first %d requests, once: %s"
              .formatted(FEW, String.join(", ", all)));
    }
  }

  private List<String> own(List<String> further) {
    var options = new ArrayList<>(List.of("--model", model.toString()));
    options.addAll(List.of("--max-num-seqs", "" + USERS, "--max-model-len", "" + CONTEXT));
    options.addAll(further);
    return options;
  }

  private List<Row> rows(
      RowName name,
      LengthShape lengths,
      List<CompletionCall> calls,
      int look,
      List<Reading> readings,
      List<Reading> firsts,
      List<String> remarks) {
    double best;
    try (var program = bench.own(model, List.of())) {
      double bytes = Models.bytes(model) - (double) Bench.work(program).tableBytes();
      String numbers = bench.settings().also().isEmpty() ? "bf16" : "int8";
      best = bench.floor(Bench.work(program), bytes, numbers, look).requests(calls, USERS);
    }
    String what =
        "over HTTP, %d users, %s, %s lengths of %d in, %d out"
            .formatted(USERS, model.getFileName(), lengths, PROMPT, OUTPUT);
    return List.of(
        row(name + "-throughput", what, "output tok/s", true, readings, best, remarks),
        row(name + "-ttft", what + ", P99 TTFT", "ms", false, firsts, Double.NaN, List.of()));
  }

  private Row row(
      String key,
      String title,
      String unit,
      boolean more,
      List<Reading> readings,
      double best,
      List<String> remarks) {
    int ours = bench.settings().also().isEmpty() ? 1 : 2;
    return new Row(
        key,
        title,
        unit,
        more,
        readings.subList(0, ours),
        readings.subList(ours, readings.size()),
        best,
        remarks);
  }
}
