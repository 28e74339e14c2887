package dev.millrace.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.engine.hub.VerifiedFile.Result;
import dev.millrace.spi.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelCacheTest {
  private static final String NEWER = "f".repeat(40);
  private static final byte[] NEW_CONFIG = new byte[500];

  @TempDir Path folder;
  private final FakeHub fake = Models.fill(new FakeHub());
  private Path old = Path.of("");
  private Path newer = Path.of("");

  @BeforeEach
  void pullTwoRevisions() {
    old = Models.pull(fake.settings(folder), "org/tiny:v1");
    fake.moveTo(NEWER);
    fake.file("config.json", NEW_CONFIG);
    newer = Models.pull(fake.settings(folder), "org/tiny");
  }

  @AfterEach
  void close() {
    fake.close();
  }

  private ModelCache cache() {
    return new ModelCache(folder);
  }

  @Test
  void revisionsAreListedWithWhatTheyTake() {
    Path other = folder.resolve("datasets--a--b");
    assertTrue(other.toFile().mkdirs());
    var found = cache().list();
    assertEquals(2, found.size());
    var first = found.getFirst();
    assertEquals("org/tiny", first.repository());
    assertEquals(FakeHub.COMMIT, first.commit());
    assertEquals(List.of("v1"), first.revisions());
    assertEquals(List.copyOf(Models.SERVED), first.files());
    assertTrue(first.servable());
    long all =
        Models.SERVED.stream().mapToLong(f -> fake.files.getOrDefault(f, new byte[0]).length).sum();
    assertEquals(all, found.getLast().bytes());
    assertEquals(List.of("main"), found.getLast().revisions());
  }

  @Test
  void emptyCacheHasNothing() {
    assertEquals(List.of(), new ModelCache(folder.resolve("none")).list());
  }

  @Test
  void removedRevisionLeavesWhatOthersHave() throws IOException {
    var wanted = HubReference.parse("org/tiny:main").orElseThrow();
    assertEquals(NEW_CONFIG.length, cache().remove(wanted));
    assertFalse(Files.exists(newer));
    assertFalse(Files.exists(folder.resolve("models--org--tiny/refs/main")));
    assertEquals(Models.WEIGHTS, Files.size(old.resolve("model.safetensors"))); // the same content
    var last = HubReference.parse("org/tiny:" + FakeHub.COMMIT).orElseThrow();
    assertTrue(cache().remove(last) > Models.WEIGHTS);
    assertFalse(Files.exists(folder.resolve("models--org--tiny")));
    assertFalse(Files.exists(folder.resolve(".locks/models--org--tiny")));
  }

  @Test
  void removedModelIsGoneWithAllItsRevisions() {
    assertTrue(cache().remove("org/tiny") > Models.WEIGHTS);
    assertEquals(List.of(), cache().list());
    Models.fails(
        ErrorCode.UNKNOWN_CHECKPOINT, () -> cache().remove("org/tiny"), "is not in the cache");
  }

  @Test
  void modelThatIsBeingFetchedIsNotRemoved() throws IOException {
    var repository = new RepositoryCache(folder, "org/tiny");
    Files.write(repository.blobs().resolve("abc" + RepositoryCache.INCOMPLETE), new byte[3]);
    try (var _ = BlobLock.tryTake(repository.lock("abc"))) {
      Models.fails(
          ErrorCode.UNAVAILABLE, () -> cache().remove("org/tiny"), "is being fetched; end that");
    }
    cache().remove("org/tiny");
    assertFalse(Files.exists(repository.folder()));
  }

  @Test
  void oneOfSeveralGgufModelsIsRemoved() {
    fake.files.clear();
    fake.file("t-Q8_0.gguf", Models.noise(30_000, 1)).file("t-Q4_0.gguf", Models.noise(20_000, 2));
    var settings = fake.settings(folder);
    Models.pull(settings, "org/tiny:Q8_0");
    Path kept = Models.pull(settings, "org/tiny:Q4_0");
    assertEquals(30_000, cache().remove(HubReference.parse("org/tiny:Q8_0").orElseThrow()));
    assertTrue(Files.exists(kept));
  }

  private List<VerifiedFile> verify(boolean drop) throws InterruptedException {
    var found = new ArrayList<VerifiedFile>();
    cache().verify(cache().list().getFirst(), drop, found::add);
    return found;
  }

  @Test
  void damageIsFoundAndMended() throws Exception {
    assertEquals(6, verify(false).stream().filter(f -> f.result() == Result.GOOD).count());
    Path weights = old.resolve("model.safetensors").toRealPath();
    try (var channel = FileChannel.open(weights, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[1]), 50_000);
    }
    Path tokenizer = old.resolve("tokenizer.json").toRealPath();
    Files.delete(tokenizer);
    Files.delete(old.resolve("tokenizer_config.json")); // a file less, nothing wrong
    var wrong = verify(true).stream().filter(VerifiedFile::wrong).toList();
    assertEquals(
        List.of(
            new VerifiedFile("model.safetensors", weights, Result.DAMAGED),
            new VerifiedFile("tokenizer.json", tokenizer, Result.MISSING)),
        wrong);
    fake.moveTo(FakeHub.COMMIT);
    Models.pull(fake.settings(folder), "org/tiny:v1");
    assertEquals(0, verify(false).stream().filter(VerifiedFile::wrong).count());
  }

  @Test
  void contentsWithOtherNamesCannotBeChecked() throws Exception {
    fake.files.clear();
    fake.file("t-Q8_0.gguf", new byte[10]);
    fake.on("HEAD", ".gguf", 1, FakeHub.status(200, "ETag", "W/\"5-abc\"", "Content-Length", "10"));
    fake.moveTo("0".repeat(40));
    Path file = Models.pull(fake.settings(folder), "org/tiny:Q8_0");
    assertEquals(10, Files.size(file));
    assertEquals(
        List.of(Result.UNKNOWN), verify(false).stream().map(VerifiedFile::result).toList());
  }
}
