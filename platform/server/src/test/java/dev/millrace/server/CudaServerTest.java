package dev.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The server in a process of its own, on the simulated driver. */
@Tag("emulated")
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class CudaServerTest {
  private static final Path ROOT = Path.of(System.getProperty("millrace.root"));
  private static final Path SIMULATOR = ROOT.resolve("kernels/target/simulator");
  private static final Path KERNELS =
      ROOT.resolve("kernels/target/emulated/libmillrace_cuda_emulated.so");
  private static final String QUESTION =
      "{\"model\":\"demo\",\"prompt\":\"a b c\",\"max_tokens\":4,\"temperature\":0}";

  @TempDir private Path folder;

  @BeforeEach
  void needTheSimulator() {
    assumeTrue(Files.exists(SIMULATOR.resolve("libcuda.so.1")), "no C++ compiler here");
    var norm = ROOT.resolve("kernels/target/classes/dev/millrace/kernels/cuda/norm.ptx");
    assumeTrue(Files.exists(norm), "no nvcc here");
  }

  private Process start(String simulation, List<String> flags) throws Exception {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-Dai.djl.offline=true"));
    command.addAll(List.of("-DRUST_FLAVOR=cpu", "-DDJL_CACHE_DIR=" + ROOT.resolve("target/djl")));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    command.addAll(List.of("serve", "--model", TestServer.MODEL_DIRECTORY));
    command.addAll(List.of("--served-model-name", "demo", "--plugins", TestServer.PLUGINS));
    command.addAll(List.of("--host", "127.0.0.1", "--port", "0", "--admin-port", "0"));
    command.addAll(flags);
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(log().toFile());
    builder.environment().put("LD_LIBRARY_PATH", SIMULATOR.toString());
    builder.environment().put("MILLRACE_SIM", "kernels=" + KERNELS + simulation);
    return builder.start();
  }

  private Path log() {
    return folder.resolve("log");
  }

  private String logged() throws Exception {
    return Files.readString(log(), StandardCharsets.UTF_8);
  }

  /** Waits for the line that says where it serves. */
  private Http serving(Process server) throws Exception {
    while (!logged().contains("serving demo on")) {
      assertTrue(server.isAlive(), logged());
      Thread.sleep(50);
    }
    String line =
        logged().lines().filter(l -> l.contains("serving demo on")).findFirst().orElseThrow();
    assertTrue(line.contains("cuda (Simulated sm_90"), line);
    String port = line.replaceAll(".*http://127.0.0.1:(\\d+).*", "$1");
    return new Http(Integer.parseInt(port));
  }

  @Test
  void answersLikeTheCpu() throws Exception {
    var server = start("", List.of("--device", "cuda", "--kv-cache-dtype", "float32"));
    try {
      var answer = serving(server).post("/v1/completions", QUESTION);
      assertEquals(200, answer.status(), answer.text());
      var onCpu = TestServer.shared().http().post("/v1/completions", QUESTION);
      assertEquals(answered(onCpu.text()), answered(answer.text()));
    } finally {
      server.destroy();
      assertTrue(server.waitFor(60, TimeUnit.SECONDS));
    }
  }

  private static String answered(String body) {
    return body.replaceAll(".*\"text\":(\"[^\"]*\").*", "$1");
  }

  @Test
  void aBrokenContextFailsTheRequestAndEndsTheProcess() throws Exception {
    var server = start(",fail-launch=30", List.of("--device", "cuda"));
    var http = serving(server);
    var answer = http.post("/v1/completions", QUESTION);
    assertEquals(503, answer.status(), answer.text());
    assertTrue(answer.text().contains("device_lost"), answer.text());
    var health = http.get("/health");
    assertEquals(503, health.status());
    assertTrue(
        health.text().contains("\"status\":\"failed\",\"error\":\"device_lost\""), health.text());
    assertTrue(server.waitFor(60, TimeUnit.SECONDS));
    assertEquals(75, server.exitValue());
  }

  @Test
  void aCardThatIsTooSmallIsRefusedWithFigures() throws Exception {
    var server = start(",memory=100000", List.of("--device", "cuda"));
    assertTrue(server.waitFor(120, TimeUnit.SECONDS));
    assertEquals(1, server.exitValue());
    assertTrue(logged().contains("OUT_OF_MEMORY: cuda (Simulated sm_90"), logged());
  }
}
