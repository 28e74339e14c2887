package dev.millrace.compare.cpu;

import dev.millrace.compare.CompareException;
import dev.millrace.compare.ServerProcess;
import dev.millrace.compare.cpu.Bench.Turn;
import dev.millrace.loadtest.LengthShape;
import dev.millrace.loadtest.LoadResult;
import dev.millrace.loadtest.Workload;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Rows of the embedded model, which no peer has. */
final class DemoRows {
  private static final int PROMPT = 128;
  private static final int OUTPUT = 128;

  /** Requests after which the JVM, ours and the load generator's, compiles no more that matters. */
  private static final int WARM = 1_000;

  private static final int REQUESTS = 30;
  private static final int LIMIT_SECONDS = 60;
  private static final String ALONE = Bench.NO_PEER + "the model is ours";

  private final Bench bench;

  DemoRows(Bench bench) {
    this.bench = bench;
  }

  /** One stream over HTTP: speed, and time to the first token. */
  List<Row> oneStream() {
    int look = bench.speed().looks();
    var results = new ArrayList<LoadResult>();
    double best;
    try (var server = Served.own(bench, List.of(), Map.of())) {
      int context = server.contextLimit();
      server.send(
          bench, new Workload(LengthShape.UNIFORM, WARM, PROMPT, OUTPUT, context, 2).calls(), 2);
      var calls = new Workload(LengthShape.UNIFORM, REQUESTS, PROMPT, OUTPUT, context, 1).calls();
      bench.turns(
          "demo-http",
          List.of(
              new Turn(
                  "Millrace",
                  () -> {
                    results.add(server.send(bench, calls, 1));
                    return results.getLast().outputTokensPerSecond();
                  })));
    }
    try (var program = LineProgram.start("bench", bench.ownCommand(List.of()), bench.log("demo"))) {
      var work = Bench.work(program);
      best =
          bench
              .floor(work, (double) work.readBytes(), "bf16", look)
              .decode(1, PROMPT + OUTPUT / 2.0);
    }
    String what = "demo model, one stream over HTTP, %d in, %d out".formatted(PROMPT, OUTPUT);
    return List.of(
        row(
            "demo-http-decode",
            what + ", between tokens",
            "tok/s",
            true,
            results.stream().map(one -> 1e9 / one.tpot().getValueAtPercentile(50)).toList(),
            best,
            List.of(ALONE, "at best: weights from memory; they may lie in a cache instead")),
        row(
            "demo-http-whole",
            what + ", prompts included, median request",
            "tok/s",
            true,
            results.stream().map(one -> OUTPUT * 1e9 / one.e2e().getValueAtPercentile(50)).toList(),
            Double.NaN,
            List.of()),
        row(
            "demo-http-ttft",
            String.format(
                Locale.ROOT, "%s, median time to the first token, after %,d requests", what, WARM),
            "ms",
            false,
            results.stream().map(one -> one.ttft().getValueAtPercentile(50) / 1e6).toList(),
            Double.NaN,
            List.of()));
  }

  /** From the launcher's start to the first answer, built already. */
  Row start() {
    var values =
        bench.turns(
            "demo-start",
            List.of(
                new Turn("Millrace", this::firstAnswer),
                new Turn("a JVM that does nothing", DemoRows::emptyJvm)));
    return new Row(
        "demo-start",
        "./millrace serve to first answer, built already, demo model",
        "s",
        false,
        values.subList(0, 1),
        List.of(),
        values.getLast().spread().median(),
        List.of(ALONE, "at best: the start of a JVM that does nothing"));
  }

  private double firstAnswer() {
    var ports = ServerProcess.Ports.free();
    var command =
        List.of(
            bench.settings().launcher().toString(),
            "serve",
            "--host",
            "127.0.0.1",
            "--port",
            "" + ports.http(),
            "--admin-port",
            "" + ports.admin());
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(bench.log("start").toFile());
    long start = System.nanoTime();
    try {
      var process = builder.start();
      try {
        var address = URI.create("http://127.0.0.1:" + ports.http() + "/v1/completions");
        while (!answers(address)) {
          if (System.nanoTime() - start > LIMIT_SECONDS * 1_000_000_000L || !process.isAlive()) {
            throw new CompareException("serve gave no answer within " + LIMIT_SECONDS + " s");
          }
          Thread.sleep(2);
        }
        return (System.nanoTime() - start) / 1e9;
      } finally {
        process.destroy();
        process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
      }
    } catch (IOException e) {
      throw new CompareException("cannot start the server: " + e.getMessage());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new CompareException("interrupted");
    }
  }

  private static boolean answers(URI address) {
    try {
      var connection = (HttpURLConnection) address.toURL().openConnection();
      connection.setConnectTimeout(1_000);
      connection.setReadTimeout(10_000);
      connection.setDoOutput(true);
      connection.setRequestProperty("Content-Type", "application/json");
      try (var body = connection.getOutputStream()) {
        body.write("{\"prompt\": \"Hello\", \"max_tokens\": 1}".getBytes(StandardCharsets.UTF_8));
      }
      return connection.getResponseCode() == 200
          && connection.getInputStream().readAllBytes().length > 0;
    } catch (IOException _) {
      return false; // not yet
    }
  }

  private static double emptyJvm() {
    var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    try {
      long start = System.nanoTime();
      var process =
          new ProcessBuilder(java, "-version")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
      return (System.nanoTime() - start) / 1e9;
    } catch (IOException e) {
      throw new CompareException("cannot start " + java + ": " + e.getMessage());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new CompareException("interrupted");
    }
  }

  private static Row row(
      String key,
      String title,
      String unit,
      boolean more,
      List<Double> values,
      double best,
      List<String> remarks) {
    return new Row(
        key, title, unit, more, List.of(new Reading("Millrace", values)), List.of(), best, remarks);
  }
}
