package dev.millrace.compare.cpu;

import dev.millrace.compare.CompareException;
import dev.millrace.compare.ServerInfo;
import dev.millrace.compare.ServerProcess;
import dev.millrace.loadtest.CompletionCall;
import dev.millrace.loadtest.LoadPlan;
import dev.millrace.loadtest.LoadResult;
import dev.millrace.loadtest.LoadRunner;
import dev.millrace.loadtest.Pace;
import dev.millrace.loadtest.Target;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** A server that has been started and is ready: ours or a peer's. */
final class Served implements AutoCloseable {
  private static final Duration START = Duration.ofMinutes(3);
  private static final Duration REQUEST = Duration.ofMinutes(5);

  private final String name;
  private final ServerProcess process;
  private final Target target;
  private final double startSeconds;

  private Served(String name, ServerProcess process, Target target, double startSeconds) {
    this.name = name;
    this.process = process;
    this.target = target;
    this.startSeconds = startSeconds;
  }

  /** Ours, with the model or the demo model; without a prefix cache, as prompts come again. */
  static Served own(Bench bench, List<String> options, Map<String, String> environment) {
    return own("Millrace", bench, options, environment);
  }

  /** The same under another name. */
  static Served own(
      String name, Bench bench, List<String> options, Map<String, String> environment) {
    var ports = ServerProcess.Ports.free();
    var command = new ArrayList<>(List.of(bench.settings().launcher().toString(), "serve"));
    command.addAll(List.of("--host", "127.0.0.1", "--port", "" + ports.http()));
    command.addAll(List.of("--admin-port", "" + ports.admin(), "--threads", bench.threads()));
    command.add("--no-enable-prefix-caching");
    command.addAll(options);
    return start(bench, name, command, ports, Map.of(), environment);
  }

  /** llama.cpp's, with a slot for each user; its prefix must have been given. */
  static Served llama(Bench bench, Path model, int slots, int contextOfSlot) {
    var ports = ServerProcess.Ports.free();
    var peers = bench.settings().peers();
    var command = new ArrayList<>(peers.llama("llama-server", "-m", peers.seen(model)));
    command.addAll(List.of("--host", "127.0.0.1", "--port", "" + ports.http()));
    command.addAll(List.of("-t", bench.threads(), "-tb", bench.threads()));
    command.addAll(List.of("-np", "" + slots, "-c", "" + slots * contextOfSlot));
    // each run sends the same prompts, and only the first would have to compute them
    Map<String, Object> fields = Map.of("cache_prompt", false);
    return start(bench, "llama-server", command, ports, fields, Map.of());
  }

  /** A server of transformers with batches of so many; its command must have been given. */
  static Served transformers(Bench bench, Path model, int batch) {
    var ports = ServerProcess.Ports.free();
    var peers = bench.settings().peers();
    var command =
        peers.staticServer().orElseThrow().stream()
            .map(word ->
                word.replace("{model}", peers.seen(model))
                    .replace("{port}", "" + ports.http())
                    .replace("{batch}", "" + batch))
            .toList();
    return start(bench, "transformers, batches of " + batch, command, ports, Map.of(), Map.of());
  }

  private static Served start(
      Bench bench,
      String name,
      List<String> command,
      ServerProcess.Ports ports,
      Map<String, Object> fields,
      Map<String, String> environment) {
    bench.tell("starting " + name);
    long start = System.nanoTime();
    var process =
        ServerProcess.start(command, ports, bench.log(name.replaceAll("\\W+", "-")), environment);
    try {
      String model = process.awaitReady(START).model();
      double seconds = (System.nanoTime() - start) / 1e9;
      return new Served(name, process, new Target(process.base(), model, REQUEST, fields), seconds);
    } catch (InterruptedException e) {
      process.close();
      Thread.currentThread().interrupt();
      throw new CompareException("interrupted: " + e.getMessage());
    } catch (RuntimeException e) {
      process.close();
      throw e;
    }
  }

  String name() {
    return name;
  }

  /** From the start of its process until it said it would serve. */
  double startSeconds() {
    return startSeconds;
  }

  /** The most memory that was resident since its start. */
  OptionalLong peakBytes() {
    return process.peakResidentBytes();
  }

  /** The longest context that it says it has. */
  int contextLimit() {
    return ServerInfo.ask(process.base()).contextLimit();
  }

  /** Sends calls, so many at a time, and waits for the last answer. All must succeed. */
  LoadResult send(Bench bench, List<CompletionCall> calls, int users) {
    var plan = new LoadPlan(name.replaceAll("\\W+", "-"), calls, new Pace.ClosedLoop(users));
    var result = LoadRunner.run(plan, target, bench.settings().scratch(), _ -> {});
    if (result.failed() > 0) {
      throw new CompareException(
          "%d of %d requests to %s failed: %s"
              .formatted(result.failed(), calls.size(), name, result.samples()));
    }
    return result;
  }

  @Override
  public void close() {
    process.close();
  }
}
