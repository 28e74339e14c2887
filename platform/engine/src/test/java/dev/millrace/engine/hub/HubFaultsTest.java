package dev.millrace.engine.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import dev.millrace.engine.hub.FakeHub.Answer;
import dev.millrace.spi.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A hub whose connections break, that lies, refuses and hangs. */
class HubFaultsTest {
  private static final String WEIGHTS = "store/model.safetensors";
  private static final int ALWAYS = 1_000;
  private static final Duration IMPATIENT = Duration.ofSeconds(1);

  @TempDir Path cache;
  private final FakeHub fake = Models.fill(new FakeHub());
  private final Heard heard = new Heard();

  @AfterEach
  void close() {
    fake.close();
  }

  private Path pull() {
    return Models.pull(fake.settings(cache), "org/tiny", heard);
  }

  private void requireWhole(Path model) throws IOException {
    for (String file : Models.SERVED) {
      assertArrayEquals(
          fake.files.get(file), Files.readAllBytes(model.resolve(file)), "content of " + file);
    }
  }

  @Test
  void brokenConnectionsGoOnWhereTheyBroke() throws IOException {
    fake.on("GET", WEIGHTS, 5, FakeHub.cut(6_000));
    requireWhole(pull());
    var starts = starts(fake);
    assertEquals(12, starts.size(), starts::toString); // 7 parts, 5 of which break once
    assertEquals(5, starts.stream().filter(start -> start % 16_384 != 0).count());
    assertEquals(heard.last().total(), heard.last().present());
  }

  /** Where the parts of the weights begin that were asked for. */
  private static List<Long> starts(FakeHub hub) {
    return hub.seen.stream()
        .filter(s -> (s.host() + s.path()).endsWith(WEIGHTS))
        .map(s -> Long.valueOf(s.range().replaceAll("bytes=(\\d+)-.*", "$1")))
        .toList();
  }

  /** How many bytes of the weights were asked for. */
  private static long asked(FakeHub hub) {
    return hub.seen.stream()
        .filter(s -> (s.host() + s.path()).endsWith(WEIGHTS))
        .map(s -> s.range().substring("bytes=".length()).split("-", -1))
        .mapToLong(range -> Long.parseLong(range[1]) - Long.parseLong(range[0]) + 1)
        .sum();
  }

  @Test
  void connectionThatAlwaysBreaksIsGivenUp() {
    fake.on("GET", WEIGHTS, ALWAYS, FakeHub.cut(0));
    Models.fails(ErrorCode.HUB_UNAVAILABLE, this::pull, "model.safetensors", "4 times in a row");
  }

  @Test
  void laterPullFetchesOnlyWhatIsMissing() throws IOException {
    fake.on("GET", WEIGHTS, 4, FakeHub.cut(10_000)); // two pieces of each of four parts
    fake.on("GET", WEIGHTS, ALWAYS, FakeHub.status(503));
    Models.fails(ErrorCode.HUB_UNAVAILABLE, this::pull, "503");
    fake.close();
    String hash = Hashes.sha256(fake.content("model.safetensors"));
    Path incomplete = cache.resolve("models--org--tiny/blobs/" + hash + RepositoryCache.INCOMPLETE);
    long present = IncompleteFile.present(incomplete, Models.WEIGHTS, Models.SMALL.piece());
    assertTrue(present >= 8_192 && present % 8_192 == 0, "present " + present);
    try (var healthy = Models.fill(new FakeHub())) {
      requireWhole(Models.pull(healthy.settings(cache), "org/tiny", heard));
      assertEquals(Models.WEIGHTS - present, asked(healthy));
      assertEquals(0, healthy.count("GET", "/config.json"));
    }
  }

  @Test
  void serverWithoutRangesIsServedWhole() throws IOException {
    Answer whole =
        (exchange, content) -> {
          exchange.sendResponseHeaders(200, content.length);
          exchange.getResponseBody().write(content);
        };
    fake.on("GET", WEIGHTS, ALWAYS, whole);
    requireWhole(pull());
    assertEquals(heard.last().total(), heard.last().present());
  }

  @Test
  void serverWithoutRangesThatBreaksIsAskedFromTheStart() throws IOException {
    fake.on(
        "GET",
        WEIGHTS,
        ALWAYS,
        new Answer() {
          private int wholes;

          @Override
          public void to(HttpExchange exchange, byte[] content) throws IOException {
            boolean part = exchange.getRequestHeaders().containsKey("Range");
            exchange.sendResponseHeaders(200, content.length);
            boolean cut = !part && wholes++ < 2;
            exchange.getResponseBody().write(content, 0, cut ? 50_000 : content.length);
          }
        });
    requireWhole(pull());
    assertEquals(heard.last().total(), heard.last().present());
  }

  @Test
  void contentThatIsNotItsHashIsFetchedOnceMoreAndThenRefused() throws IOException {
    fake.on(
        "GET",
        WEIGHTS,
        ALWAYS,
        (exchange, content) -> {
          byte[] other = content.clone();
          other[77_777] ^= 1;
          FakeHub.send(exchange, other);
        });
    Models.fails(
        ErrorCode.INVALID_CHECKPOINT, this::pull, "model.safetensors", "came twice", "changes it");
    assertTrue(
        heard.notes.stream().anyMatch(n -> n.contains("came damaged")), heard.notes::toString);
    try (var blobs = Files.list(cache.resolve("models--org--tiny/blobs"))) {
      assertEquals(5, blobs.count()); // neither the damaged one nor a part of it
    }
  }

  @Test
  void smallFileThatIsNotItsGitHashIsRefused() {
    fake.on(
        "GET",
        "/config.json",
        ALWAYS,
        (exchange, content) -> FakeHub.send(exchange, new byte[content.length]));
    Models.fails(ErrorCode.INVALID_CHECKPOINT, this::pull, "config.json");
  }

  @Test
  void damageThatHappensOnceIsRepaired() throws IOException {
    fake.on(
        "GET", WEIGHTS, 1, (exchange, content) -> FakeHub.send(exchange, new byte[content.length]));
    requireWhole(pull());
    assertEquals(heard.last().total(), heard.last().present());
  }

  @Test
  void shorterFileThanSaidIsRefused() {
    lie(Models.WEIGHTS + 5_000);
    Models.fails(ErrorCode.INVALID_CHECKPOINT, this::pull, "105,000 bytes", "100,000");
  }

  @Test
  void longerFileThanSaidIsRefused() {
    lie(Models.WEIGHTS - 5_000);
    Models.fails(ErrorCode.INVALID_CHECKPOINT, this::pull, "95,000 bytes", "100,000");
  }

  @Test
  void lengthWithoutEndDoesNotFitOnTheDisk() {
    lie(900_000_000_000_000_000L);
    Models.fails(ErrorCode.OUT_OF_SPACE, this::pull, "900.0 PB more", "HF_HUB_CACHE");
    assertEquals(0, fake.count("GET", WEIGHTS));
  }

  private void lie(long size) {
    String hash = Hashes.sha256(fake.content("model.safetensors"));
    fake.on(
        "HEAD",
        "/model.safetensors",
        ALWAYS,
        (exchange, _) -> {
          exchange.getResponseHeaders().set("X-Linked-Etag", hash);
          exchange.getResponseHeaders().set("X-Linked-Size", String.valueOf(size));
          exchange.sendResponseHeaders(302, -1);
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {408, 429, 500, 502, 503, 504})
  void passingFailuresAreTriedAgain(int status) throws IOException {
    fake.on("GET", "/revision/main", 2, FakeHub.status(status));
    fake.on("HEAD", "/config.json", 2, FakeHub.status(status));
    fake.on("GET", "store/tokenizer.json", 3, FakeHub.status(status));
    requireWhole(pull());
    assertEquals(7, heard.notes.stream().filter(n -> n.contains(" answers " + status)).count());
  }

  @Test
  void serverThatWantsToWaitIsLeftAlone() throws IOException {
    fake.on("GET", "/revision/main", 1, FakeHub.status(429, "Retry-After", "1"));
    long begun = System.nanoTime();
    requireWhole(pull());
    assertTrue(System.nanoTime() - begun >= 1_000_000_000L);
    assertTrue(heard.notes.getFirst().contains("trying again in 1.0 s"), heard.notes::toString);
    assertTrue(heard.notes.getFirst().contains("HF_TOKEN"), heard.notes::toString);
  }

  @Test
  void serverThatWantsToWaitForHoursIsGivenUp() {
    fake.on("GET", "/revision/main", 1, FakeHub.status(503, "Retry-After", "7200"));
    Models.fails(ErrorCode.HUB_UNAVAILABLE, this::pull, "503", "7200 s");
    assertEquals(1, fake.seen.size());
  }

  @Test
  void hangingServerIsAskedAgain() throws IOException {
    fake.on("GET", "/config.json", 1, FakeHub.hang());
    fake.on("GET", "/tokenizer_config.json", 1, FakeHub.stall(1));
    var settings = fake.settings(cache, "", false, IMPATIENT);
    requireWhole(Models.pull(settings, "org/tiny", heard));
    for (String file : List.of("config.json: ", "tokenizer_config.json: ")) {
      assertTrue(heard.notes.stream().anyMatch(n -> n.startsWith(file)), heard.notes::toString);
    }
  }

  @Test
  void modelThatNeedsATokenSaysSo() {
    fake.requireToken("hf_good");
    Models.fails(ErrorCode.ACCESS_DENIED, this::pull, "401", "set HF_TOKEN", "/org/tiny");
    Models.fails(
        ErrorCode.ACCESS_DENIED,
        () -> Models.pull(fake.settings(cache, "hf_bad", false), "org/tiny"),
        "403",
        "accept the model's terms at");
    assertEquals(2, fake.seen.size());
  }

  @Test
  void missingModelsAndRevisionsAreNamed() {
    fake.on("GET", "/revision/v2", 1, FakeHub.status(404, "X-Error-Code", "RevisionNotFound"));
    Models.fails(
        ErrorCode.UNKNOWN_CHECKPOINT,
        () -> Models.pull(fake.settings(cache), "org/tiny:v2"),
        "no revision v2 of org/tiny");
    fake.on("GET", "/revision/main", 1, FakeHub.status(404, "X-Error-Code", "RepoNotFound"));
    Models.fails(ErrorCode.UNKNOWN_CHECKPOINT, this::pull, "no model org/tiny");
  }

  @Test
  void expiredAddressesAreAskedForAnew() throws IOException {
    fake.on(
        "GET",
        "tiny/resolve/" + FakeHub.COMMIT + "/model.safetensors",
        1,
        FakeHub.status(302, "Location", other("/expired")));
    fake.on("GET", "/expired", 1, FakeHub.status(403));
    requireWhole(pull());
  }

  private String other(String path) {
    return fake.endpoint().replace("127.0.0.1", "localhost") + path;
  }

  @Test
  void redirectionsWithoutEndAreRefused() {
    fake.on(
        "GET",
        "/tokenizer.json",
        ALWAYS,
        (exchange, _) -> {
          exchange.getResponseHeaders().set("Location", exchange.getRequestURI().getPath());
          exchange.sendResponseHeaders(307, -1);
        });
    Models.fails(ErrorCode.HUB_UNAVAILABLE, this::pull, "redirected more than 5 times");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../evil.json", "/etc/passwd", "a/../../b", "a\\..\\b", "a//b", "C:x"})
  void namesThatLeaveTheFolderAreRefused(String name) {
    fake.file(name, "{}");
    Models.fails(ErrorCode.INVALID_CHECKPOINT, this::pull, name, "outside the model's folder");
    assertFalse(Files.exists(cache.resolve("models--org--tiny/snapshots")));
  }

  @Test
  void indexThatLeavesTheFolderIsRefused() {
    fake.files.remove("model.safetensors");
    fake.file("a.safetensors", "x").file("b.safetensors", "y");
    fake.file(
        "model.safetensors.index.json", "{\"weight_map\": {\"a\": \"../../../x.safetensors\"}}");
    Models.fails(ErrorCode.INVALID_CHECKPOINT, this::pull, "outside the model's folder");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../../../x", "", "a/b", "."})
  void hashesThatAreNoFileNamesAreRefused(String etag) {
    fake.on(
        "HEAD", "/config.json", ALWAYS, FakeHub.status(200, "ETag", etag, "Content-Length", "4"));
    Models.fails(ErrorCode.INVALID_CHECKPOINT, this::pull, "ETag");
  }

  @Test
  void commitThatIsNoneIsRefused() {
    fake.moveTo("../../elsewhere");
    Models.fails(ErrorCode.HUB_UNAVAILABLE, this::pull, "did not answer as a hub does");
  }

  @Test
  void answerThatIsNoListingIsRefused() {
    fake.on(
        "GET",
        "/revision/main",
        1,
        (exchange, _) ->
            FakeHub.send(exchange, "<html>Log in to the network</html>".getBytes(UTF_8)));
    Models.fails(ErrorCode.HUB_UNAVAILABLE, this::pull, "HF_ENDPOINT");
  }

  @Test
  void interruptedPullSaysThatItGoesOn() throws Exception {
    fake.on("GET", WEIGHTS, ALWAYS, FakeHub.hang());
    var failed = new CompletableFuture<Throwable>();
    var puller =
        Thread.ofVirtual()
            .start(() -> {
              try {
                pull();
              } catch (RuntimeException e) {
                failed.complete(e);
              }
            });
    while (fake.count("GET", WEIGHTS) == 0) {
      Thread.sleep(5);
    }
    puller.interrupt();
    Models.fails(
        ErrorCode.CANCELLED,
        () -> {
          throw failed.get(10, TimeUnit.SECONDS);
        },
        "what came so far is kept");
    assertEquals(List.of(), heard.notes);
  }
}
