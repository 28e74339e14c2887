package dev.millrace.cuda;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * What is run on a machine with a GPU, from a bundle ({@code kernels/cuda/suite}): whether driver
 * and kernels load, every contract and golden model, then how fast the engine's steps are. Writes
 * {@code gpu-suite.json} and {@code gpu-suite.txt} into the folder of its first argument, after
 * each test and part anew, so that nothing is lost when the time is up. Further arguments name the
 * parts to run: driver, models, device, copies, steps; none: all.
 */
final class GpuSuite {
  /** When no further measurement is begun. */
  private static final Duration BUDGET = Duration.ofMinutes(7);

  private final Path folder;
  private final PrintStream out;
  private final ObjectNode json = new ObjectMapper().createObjectNode();
  private final StringBuilder summary = new StringBuilder();
  private final long end = System.nanoTime() + BUDGET.toNanos();
  private boolean failed;

  private final List<String> wanted;

  private GpuSuite(Path folder, List<String> wanted, PrintStream out) {
    this.folder = folder;
    this.wanted = wanted;
    this.out = out;
  }

  public static void main(String[] arguments) {
    var suite =
        new GpuSuite(
            Path.of(arguments[0]), List.of(arguments).subList(1, arguments.length), System.out);
    suite.run();
    System.exit(suite.failed ? 1 : 0);
  }

  private void run() {
    part("driver", this::driver);
    if (!failed) {
      part("models", () -> tests("models", CudaModelsTest.class));
      part("device", () -> tests("device", CudaDeviceTest.class));
      part("copies", () -> new CopyBench(json.putObject("copies"), this::say).run());
      part("steps", new StepBench(json.putArray("steps"), this::say, this::inTime)::run);
    }
    say(failed ? "FAILED" : "all parts passed");
    write();
  }

  /** A part of the suite. */
  private interface Part {
    void run() throws Exception;
  }

  private void part(String name, Part part) {
    if (!wanted.isEmpty() && !wanted.contains(name)) {
      return;
    }
    long start = System.nanoTime();
    try {
      part.run();
    } catch (Exception | Error e) {
      failed = true;
      json.put(name + "-error", e.toString());
      say(name + ": " + e);
    }
    json.put(name + "-seconds", (System.nanoTime() - start) / 1e9);
    write();
  }

  private boolean inTime() {
    return System.nanoTime() < end;
  }

  private void say(String line) {
    summary.append(line).append('\n');
    out.println(line);
  }

  private void driver() throws Unavailable {
    if (!Boolean.getBoolean("millrace.gpu")) {
      SimulatedDriver.device().close();
    }
    int version = DriverLibrary.open();
    try (var gpu = new Gpu(version)) {
      var memory = gpu.memory(1);
      json.put("card", gpu.name());
      json.put("architecture", gpu.architecture());
      json.put("multiprocessors", gpu.multiprocessors());
      json.put("driver", version);
      json.put("memory", memory.total());
      new KernelModules(gpu).close();
      say(
          "%s, compute capability %d, CUDA %s, %,d MiB, kernels load"
              .formatted(
                  gpu.name(),
                  gpu.architecture(),
                  DriverLibrary.name(version),
                  memory.total() >> 20));
    }
  }

  private void tests(String name, Class<?> tests) {
    var request = LauncherDiscoveryRequestBuilder.request().selectors(selectClass(tests)).build();
    var found = json.putObject(name);
    var failures = found.putArray("failures");
    int[] passed = new int[1];
    LauncherFactory.create()
        .execute(
            request,
            new TestExecutionListener() {
              @Override
              public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (result.getStatus() == TestExecutionResult.Status.FAILED) {
                  String what =
                      test.getDisplayName()
                          + ": "
                          + result.getThrowable().map(Throwable::toString).orElse("");
                  failures.add(what.substring(0, Math.min(400, what.length())));
                } else if (test.isTest()) {
                  passed[0]++;
                }
                found.put("passed", passed[0]);
                write();
              }
            });
    failed |= !failures.isEmpty() || passed[0] == 0;
    say("%s: %d passed, %d failed".formatted(name, passed[0], failures.size()));
    failures.forEach(failure -> say("  " + failure.asText()));
  }

  private void write() {
    try {
      writeFiles();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void writeFiles() throws IOException {
    Files.createDirectories(folder);
    Files.writeString(
        folder.resolve("gpu-suite.json"), json.toPrettyString(), StandardCharsets.UTF_8);
    Files.writeString(folder.resolve("gpu-suite.txt"), summary, StandardCharsets.UTF_8);
  }
}
