package dev.millrace.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the cache is good for when the hub is not. */
class CachedModelTest {
  @TempDir Path cache;
  private final FakeHub fake = Models.fill(new FakeHub());

  @AfterEach
  void close() {
    fake.close();
  }

  private Path offline(String model) {
    return Models.pull(fake.settings(cache, "", true), model);
  }

  @Test
  void offlineNothingIsAsked() {
    Path model = Models.pull(fake.settings(cache), "org/tiny");
    fake.seen.clear();
    assertEquals(model, offline("org/tiny"));
    assertEquals(model, offline("org/tiny:" + FakeHub.COMMIT));
    assertEquals(model, offline("org/tiny:" + FakeHub.COMMIT.substring(0, 8)));
    assertTrue(fake.seen.isEmpty());
  }

  @Test
  void offlineSaysWhatIsThereInstead() {
    Models.fails(
        ErrorCode.HUB_UNAVAILABLE,
        () -> offline("org/tiny"),
        "HF_HUB_OFFLINE is set",
        "no model is cached in");
    Models.pull(fake.settings(cache), "org/tiny");
    Models.fails(
        ErrorCode.HUB_UNAVAILABLE, () -> offline("org/tiny:v2"), "the revisions main, 0123456789");
    Models.fails(ErrorCode.HUB_UNAVAILABLE, () -> offline("org/other"), "are: org/tiny");
  }

  @Test
  void modelThatIsNotWholeIsNotUsed() throws IOException {
    Path model = Models.pull(fake.settings(cache), "org/tiny");
    Files.delete(model.resolve("model.safetensors"));
    Models.fails(
        ErrorCode.HUB_UNAVAILABLE, () -> offline("org/tiny"), "not whole", "no safetensors files");
    fake.seen.clear();
    Models.pull(fake.settings(cache), "org/tiny");
    assertEquals(0, fake.count("GET", "/model.safetensors")); // the content was still there
    Files.delete(model.resolve("tokenizer.json"));
    Models.fails(ErrorCode.HUB_UNAVAILABLE, () -> offline("org/tiny"), "no tokenizer.json");
  }

  @Test
  void hubThatFailsIsNoErrorIfTheModelIsThere() {
    Path model = Models.pull(fake.settings(cache), "org/tiny");
    fake.on("GET", "/revision/main", 10, FakeHub.status(503));
    var heard = new Heard();
    fake.seen.clear();
    assertEquals(model, Models.pull(fake.settings(cache), "org/tiny", heard));
    assertEquals(1, fake.seen.size());
    assertTrue(heard.notes.getFirst().contains("using what is cached"), heard.notes::toString);
    fake.close();
    assertEquals(model, Models.pull(fake.settings(cache), "org/tiny"));
  }

  @Test
  void hubThatCannotBeReachedIsNamed() {
    fake.close();
    Models.fails(
        ErrorCode.HUB_UNAVAILABLE,
        () -> Models.pull(fake.settings(cache), "org/tiny"),
        "the list of files of org/tiny",
        "4 times in a row",
        "no model is cached");
  }

  @Test
  void refusalIsNoReasonToUseTheCache() {
    Models.pull(fake.settings(cache), "org/tiny");
    fake.on("GET", "/revision/main", 1, FakeHub.status(404));
    Models.fails(
        ErrorCode.UNKNOWN_CHECKPOINT, () -> Models.pull(fake.settings(cache), "org/tiny"), "404");
  }

  @Test
  void ggufModelIsOneFile() throws IOException {
    fake.files.clear();
    fake.file("README.md", "x").file("tiny-Q8_0.gguf", Models.noise(30_000, 1));
    fake.file("tiny-Q4_K_M.gguf", Models.noise(30_000, 2)).file("config.json", "{}");
    Path q8 = Models.pull(fake.settings(cache), "org/tiny:Q8_0");
    assertEquals("tiny-Q8_0.gguf", String.valueOf(q8.getFileName()));
    try (var files = Files.list(q8.resolveSibling(""))) {
      assertEquals(1, files.count());
    }
    assertEquals(q8, offline("org/tiny:q8_0"));
    Path usual = Models.pull(fake.settings(cache), "org/tiny");
    assertEquals("tiny-Q4_K_M.gguf", String.valueOf(usual.getFileName()));
    Models.fails(
        ErrorCode.HUB_UNAVAILABLE,
        () -> offline("org/tiny:Q6_K"),
        "quantization Q6_K",
        "Q8_0.gguf");
  }
}
