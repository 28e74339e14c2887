package dev.millrace.engine.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A hub that behaves: what is fetched, where it lies, and what is sent to whom. */
class HubTest {
  @TempDir Path cache;
  private final FakeHub fake = Models.fill(new FakeHub());

  @AfterEach
  void close() {
    fake.close();
  }

  private Path pull(String model) {
    return Models.pull(fake.settings(cache), model);
  }

  @Test
  void filesLieWherePythonLooksForThem() throws IOException {
    Path model = pull("org/tiny");
    Path folder = cache.resolve("models--org--tiny");
    assertEquals(folder.resolve("snapshots").resolve(FakeHub.COMMIT), model);
    assertEquals(FakeHub.COMMIT, Files.readString(folder.resolve("refs/main")));
    Path weights = model.resolve("model.safetensors");
    byte[] content = fake.content("model.safetensors");
    assertEquals(Path.of("../../blobs", Hashes.sha256(content)), Files.readSymbolicLink(weights));
    assertArrayEquals(content, Files.readAllBytes(weights));
    byte[] config = fake.content("config.json");
    assertEquals(
        Path.of("../../blobs", Hashes.git(config)),
        Files.readSymbolicLink(model.resolve("config.json")));
    assertTrue(
        Files.exists(
            cache.resolve(".locks/models--org--tiny/" + Hashes.sha256(content) + ".lock")));
    try (var blobs = Files.list(folder.resolve("blobs"))) {
      assertEquals(List.of(), blobs.filter(b -> b.toString().contains("incomplete")).toList());
    }
  }

  @Test
  void onlyServedFilesAreFetched() throws IOException {
    for (String other :
        List.of(
            "pytorch_model.bin",
            "pytorch_model.bin.index.json",
            "model.onnx",
            "onnx/model.onnx",
            "consolidated.safetensors",
            "README.md",
            "original/config.json",
            "tf_model.h5",
            "q4.gguf",
            ".gitattributes")) {
      fake.file(other, new byte[20_000]);
    }
    Path model = pull("org/tiny");
    assertEquals(Models.SERVED, names(model));
    var asked =
        fake.seen.stream()
            .filter(s -> s.method().equals("HEAD"))
            .map(s -> s.path().substring(s.path().lastIndexOf('/') + 1))
            .collect(Collectors.toSet());
    assertEquals(Models.SERVED, new TreeSet<>(asked));
  }

  private static Set<String> names(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files
          .map(f -> String.valueOf(f.getFileName()))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  @Test
  void weightsOfSeveralFilesAreThoseOfTheIndex() throws IOException {
    fake.files.remove("model.safetensors");
    fake.file("model-00001-of-00002.safetensors", Models.noise(30_000, 1));
    fake.file("model-00002-of-00002.safetensors", Models.noise(40_000, 2));
    fake.file("model-00001-of-00003.safetensors", Models.noise(50_000, 3));
    fake.file(
        "model.safetensors.index.json",
        """
        {"weight_map": {"a": "model-00001-of-00002.safetensors",
                        "b": "model-00002-of-00002.safetensors",
                        "c": "model-00002-of-00002.safetensors"}}
        """);
    var found = names(pull("org/tiny"));
    assertTrue(found.contains("model-00001-of-00002.safetensors"), found.toString());
    assertTrue(found.contains("model-00002-of-00002.safetensors"), found.toString());
    assertFalse(found.contains("model-00001-of-00003.safetensors"), found.toString());
  }

  @Test
  void whatIsThereIsNotFetchedAgain() {
    Path model = pull("org/tiny");
    fake.seen.clear();
    assertEquals(model, pull("org/tiny"));
    assertEquals(1, fake.seen.size(), fake.seen.toString()); // the listing
  }

  @Test
  void newRevisionFetchesOnlyWhatHasChanged() throws IOException {
    Path old = pull("org/tiny");
    String newer = "f".repeat(40);
    fake.moveTo(newer);
    fake.file("config.json", "{\"other\": true}");
    fake.seen.clear();
    Path now = pull("org/tiny");
    assertEquals(newer, String.valueOf(now.getFileName()));
    assertEquals("{\"other\": true}", Files.readString(now.resolve("config.json")));
    assertEquals(0, fake.count("GET", "/model.safetensors"), fake.seen.toString());
    assertEquals(
        old.resolve("model.safetensors").toRealPath(),
        now.resolve("model.safetensors").toRealPath());
    assertEquals(newer, Files.readString(cache.resolve("models--org--tiny/refs/main")));
  }

  @Test
  void revisionIsAskedForByName() throws IOException {
    pull("org/tiny:refs/pr/1");
    assertEquals("/api/models/org/tiny/revision/refs/pr/1", fake.seen.getFirst().path()); // decoded
    assertEquals(
        FakeHub.COMMIT, Files.readString(cache.resolve("models--org--tiny/refs/refs/pr/1")));
  }

  @Test
  void largeFilesComeInParts() {
    Path model = pull("org/tiny");
    var ranges =
        fake.seen.stream()
            .filter(s -> s.host().equals("store") && s.path().endsWith("model.safetensors"))
            .map(FakeHub.Seen::range)
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(7, ranges.size(), ranges.toString()); // 100,000 bytes of 16,384 each
    assertTrue(ranges.contains("bytes=98304-99999"), ranges.toString());
    assertTrue(Files.exists(model));
  }

  @Test
  void tokenDoesNotTravelToAnotherHost() {
    fake.requireToken("hf_secret");
    Models.pull(fake.settings(cache, "hf_secret", false), "org/tiny");
    var sent =
        fake.seen.stream()
            .collect(
                Collectors.groupingBy(
                    FakeHub.Seen::host,
                    Collectors.mapping(FakeHub.Seen::authorization, Collectors.toSet())));
    assertEquals(Map.of("hub", Set.of("Bearer hf_secret"), "store", Set.of("")), sent);
  }

  @Test
  void dummyWeightsNeedNoFiles() throws IOException {
    try (var hub = new Hub(fake.settings(cache), Models.QUICK, Models.SMALL)) {
      var wanted = HubReference.parse("org/tiny").orElseThrow();
      Path model = hub.pull(wanted, Extent.WITHOUT_WEIGHTS, PullListener.NONE);
      assertFalse(names(model).contains("model.safetensors"));
      assertTrue(names(model).contains("tokenizer.json"));
    }
  }

  @Test
  void modelWithoutSafetensorsIsRefused() {
    fake.files.remove("model.safetensors");
    fake.file("pytorch_model.bin", new byte[20_000]);
    Models.fails(
        ErrorCode.INVALID_CHECKPOINT,
        () -> pull("org/tiny"),
        "no safetensors files; weights in other forms are not read");
  }

  @Test
  void progressCountsEveryByte() {
    var heard = new Heard();
    try (var hub = new Hub(fake.settings(cache), Models.QUICK, Models.SMALL)) {
      hub.pull(HubReference.parse("org/tiny").orElseThrow(), Extent.ALL, heard);
    }
    long all =
        Models.SERVED.stream().mapToLong(f -> fake.files.getOrDefault(f, new byte[0]).length).sum();
    assertEquals(all, heard.last().total());
    assertEquals(all, heard.last().present());
    assertTrue(heard.last().complete());
  }
}
