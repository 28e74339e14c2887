package dev.millrace.cuda;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What is run on a machine with a GPU, from a bundle ({@code kernels/cuda/suite}): whether driver
 * and kernels load, every kernel, golden model and contract, then how fast it all is. Each part is
 * a process of its own with a time limit ({@link SuiteProcess}), so that what breaks or hangs takes
 * no other part with it. Writes {@code gpu-suite.json} and {@code gpu-suite.txt} into the folder of
 * its first argument, after each part anew. Further arguments name the parts to run ({@link
 * SuitePart}); none: all. The property {@code millrace.seconds} says how long all may take.
 */
final class GpuSuite {
  private static final String KERNEL_TESTS = "/dev/millrace/testkit/cuda";

  private final Path folder;
  private final ObjectNode json = new ObjectMapper().createObjectNode();
  private final StringBuilder summary = new StringBuilder();
  private final long deadline =
      System.nanoTime() + Duration.ofSeconds(Integer.getInteger("millrace.seconds", 530)).toNanos();
  private boolean failed;

  private GpuSuite(Path folder) {
    this.folder = folder;
  }

  public static void main(String[] arguments) throws Exception {
    var suite = new GpuSuite(Path.of(arguments[0]));
    Files.createDirectories(suite.folder);
    suite.run(List.of(arguments).subList(1, arguments.length));
    System.exit(suite.failed ? 1 : 0);
  }

  private void run(List<String> wanted) throws Exception {
    for (var part : SuitePart.values()) {
      if (!wanted.isEmpty() && !wanted.contains(part.argument())) {
        continue;
      }
      if (part == SuitePart.KERNELS) {
        runTogether(kernelTests());
      } else {
        note(new SuiteProcess(folder, part, part.argument(), deadline).run());
      }
    }
    say(failed ? "FAILED" : "all parts passed");
    write();
  }

  /** Several at a time: most of their time is arithmetic of the host. */
  private void runTogether(List<String> classes)
      throws IOException, InterruptedException, ExecutionException {
    int together = Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, 8);
    try (var pool = Executors.newFixedThreadPool(together)) {
      var results = new ArrayList<Future<SuiteProcess.Result>>();
      for (var name : classes) {
        results.add(
            pool.submit(() -> new SuiteProcess(folder, SuitePart.KERNELS, name, deadline).run()));
      }
      for (var result : results) {
        note(result.get());
      }
    }
  }

  private static List<String> kernelTests() throws IOException, URISyntaxException {
    var classes = Objects.requireNonNull(GpuSuite.class.getResource(KERNEL_TESTS)).toURI();
    try (var files = Files.list(Path.of(classes))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith("KernelTest.class"))
          .map(name -> name.substring(0, name.length() - ".class".length()))
          .sorted()
          .toList();
    }
  }

  private void note(SuiteProcess.Result result) throws IOException {
    failed |= !result.passed();
    json.set(result.name(), result.json());
    result.lines().forEach(this::say);
    write();
  }

  private void say(String line) {
    summary.append(line).append('\n');
    System.out.println(line);
  }

  private void write() throws IOException {
    Files.writeString(folder.resolve("gpu-suite.json"), json.toPrettyString());
    Files.writeString(folder.resolve("gpu-suite.txt"), summary);
  }
}
