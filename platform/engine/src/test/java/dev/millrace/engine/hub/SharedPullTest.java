package dev.millrace.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several that want the same at once. */
class SharedPullTest {
  private static final String WEIGHTS = "store/model.safetensors";

  @TempDir Path cache;

  /** A process of its own: endpoint and cache; writes where the model is. */
  public static final class Puller {
    public static void main(String[] arguments) {
      var settings =
          HubSettings.of(Map.of("HF_ENDPOINT", arguments[0], "HF_HUB_CACHE", arguments[1]));
      System.out.print(Models.pull(settings, "org/tiny"));
    }
  }

  private Process puller(FakeHub fake) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Puller.class.getName(),
            fake.endpoint(),
            cache.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  @Test
  void threadsFetchEverythingOnce() throws Exception {
    try (var fake = Models.fill(new FakeHub());
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var pulls = new ArrayList<Future<Path>>();
      for (int i = 0; i < 8; i++) {
        pulls.add(threads.submit(() -> Models.pull(fake.settings(cache), "org/tiny")));
      }
      for (var pull : pulls) {
        pull.get(30, TimeUnit.SECONDS);
      }
      for (var pull : pulls) { // links have other names while others still make them
        assertEquals(Models.SERVED.size(), count(pull.get()));
      }
      assertEquals(7, fake.count("GET", WEIGHTS));
      assertEquals(1, fake.count("GET", "/config.json"));
    }
  }

  private static long count(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.count();
    }
  }

  @Test
  void processesFetchEverythingOnce() throws Exception {
    try (var fake = Models.fill(new FakeHub())) {
      var pullers = List.of(puller(fake), puller(fake));
      for (var process : pullers) {
        var said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor());
        assertTrue(said.endsWith(FakeHub.COMMIT), said);
      }
      assertEquals(7, fake.count("GET", WEIGHTS));
      assertEquals(1, fake.count("GET", "/config.json"));
    }
  }

  @Test
  void killedProcessLeavesWhatItHas() throws Exception {
    try (var fake = Models.fill(new FakeHub())) {
      fake.on("GET", WEIGHTS, 4, stallAfter(10_000));
      var process = puller(fake);
      while (present(fake) < 4 * 8_192) {
        assertTrue(process.isAlive(), "the process ended by itself");
        Thread.sleep(10);
      }
      process.destroyForcibly().waitFor();
    }
    try (var fake = Models.fill(new FakeHub())) {
      Path model = Models.pull(fake.settings(cache), "org/tiny");
      assertEquals(Models.SERVED.size(), count(model));
      assertEquals(0, fake.count("GET", "/config.json"));
      assertTrue(
          fake.seen.stream()
              .filter(s -> (s.host() + s.path()).endsWith(WEIGHTS))
              .noneMatch(s -> s.range().startsWith("bytes=0-")),
          fake.seen::toString);
    }
  }

  private static FakeHub.Answer stallAfter(int bytes) {
    return (exchange, content) -> {
      FakeHub.cut(bytes).to(exchange, content);
      Thread.sleep(60_000);
    };
  }

  private long present(FakeHub fake) throws IOException {
    String hash = Hashes.sha256(fake.content("model.safetensors"));
    Path file = cache.resolve("models--org--tiny/blobs/" + hash + RepositoryCache.INCOMPLETE);
    return IncompleteFile.present(file, Models.WEIGHTS, Models.SMALL.piece());
  }

  @Test
  void lockIsHeldAgainstEverybody() throws Exception {
    Path file = cache.resolve("locks/a.lock");
    try (var lock = BlobLock.tryTake(file)) {
      assertNotNull(lock);
      assertNull(BlobLock.tryTake(file));
      assertEquals(1, flock(file)); // as Python's tools lock
    }
    assertEquals(0, flock(file));
    try (var again = BlobLock.tryTake(file)) {
      assertNotNull(again);
    }
  }

  /** What util-linux says: 1 if somebody has the lock. */
  private static int flock(Path file) throws Exception {
    return new ProcessBuilder("flock", "-n", file.toString(), "true").start().waitFor();
  }
}
