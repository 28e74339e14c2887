package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/** The models in a cache, whoever put them there, and their care. Any thread. */
public final class ModelCache {
  private final Path folder;

  /**
   * The cache in a folder.
   *
   * @param folder need not exist
   */
  public ModelCache(Path folder) {
    this.folder = folder;
  }

  /** Every commit of every model, by name. */
  public List<CachedRevision> list() {
    var all = new ArrayList<CachedRevision>();
    for (var repository : RepositoryCache.all(folder)) {
      var byRevision = repository.commitsByRevision();
      for (String commit : repository.commits()) {
        try {
          all.add(revision(repository, commit, byRevision));
        } catch (IOException e) {
          throw RepositoryCache.unwritable(repository.snapshot(commit), e);
        }
      }
    }
    return all;
  }

  private static CachedRevision revision(
      RepositoryCache repository, String commit, Map<String, String> byRevision)
      throws IOException {
    var files = repository.files(commit);
    var contents = new HashMap<Path, Long>();
    var lastUsed = Instant.EPOCH;
    for (String file : files) {
      Path content = repository.snapshot(commit).resolve(file).toRealPath();
      var attributes = Files.readAttributes(content, BasicFileAttributes.class);
      contents.put(content, attributes.size());
      var used = attributes.lastAccessTime().toInstant();
      lastUsed = used.isAfter(lastUsed) ? used : lastUsed;
    }
    var wanted = new HubReference(repository.repository(), commit, "", "");
    boolean servable =
        new CachedModel(repository, wanted).find(Extent.ALL).isPresent()
            || !new GgufFiles(wanted, files).models().isEmpty();
    return new CachedRevision(
        repository.repository(),
        commit,
        byRevision.entrySet().stream()
            .filter(entry -> entry.getValue().equals(commit))
            .map(Map.Entry::getKey)
            .toList(),
        repository.snapshot(commit),
        files,
        contents.values().stream().mapToLong(Long::longValue).sum(),
        lastUsed,
        servable);
  }

  /**
   * Removes a model with all its revisions, and what is unfinished of it.
   *
   * @return bytes that are free now
   * @throws InferenceException {@code UNKNOWN_CHECKPOINT} if it is not there; {@code UNAVAILABLE}
   *     if it is being fetched
   */
  public long remove(String repository) {
    var cached = new RepositoryCache(folder, repository);
    if (!Files.isDirectory(cached.folder())) {
      throw unknown(repository);
    }
    try {
      return new Removal(cached).all();
    } catch (IOException e) {
      throw RepositoryCache.unwritable(cached.folder(), e);
    }
  }

  /**
   * Removes one revision of a model, or one GGUF model of it. Contents that other revisions have,
   * too, stay.
   *
   * @return bytes that are free now
   * @throws InferenceException {@code UNKNOWN_CHECKPOINT} if it is not there
   */
  public long remove(HubReference wanted) {
    var cached = new RepositoryCache(folder, wanted.repository());
    String commit =
        cached
            .commit(wanted.revision())
            .filter(cached.commits()::contains)
            .orElseThrow(() -> unknown(wanted.toString()));
    var files = cached.files(commit);
    try {
      return new Removal(cached)
          .files(commit, wanted.namesGguf() ? new GgufFiles(wanted, files).choose() : List.of());
    } catch (IOException e) {
      throw RepositoryCache.unwritable(cached.folder(), e);
    }
  }

  private InferenceException unknown(String model) {
    var there = RepositoryCache.all(folder).stream().map(RepositoryCache::repository).toList();
    return new InferenceException(
        ErrorCode.UNKNOWN_CHECKPOINT,
        "%s is not in the cache %s; there are: %s".formatted(model, folder, there));
  }

  /**
   * Hashes every content of a revision.
   *
   * @param drop whether what is wrong is removed, so that the next pull fetches it anew
   * @param each hears of each content, as soon as it is hashed
   */
  public void verify(CachedRevision revision, boolean drop, Consumer<VerifiedFile> each)
      throws InterruptedException {
    Map<Path, String> contents = new LinkedHashMap<>();
    try (var all = Files.walk(revision.folder())) {
      for (Path file : all.filter(f -> !Files.isDirectory(f)).sorted().toList()) {
        Path content =
            Files.isSymbolicLink(file)
                ? Objects.requireNonNull(file.getParent(), "a snapshot")
                    .resolve(Files.readSymbolicLink(file))
                    .normalize()
                : file;
        contents.putIfAbsent(content, revision.folder().relativize(file).toString());
      }
      for (var content : contents.entrySet()) {
        var result = result(content.getKey());
        var verified = new VerifiedFile(content.getValue(), content.getKey(), result);
        if (drop && verified.wrong()) {
          Files.deleteIfExists(verified.blob());
          Files.deleteIfExists(revision.folder().resolve(verified.path()));
        }
        each.accept(verified);
      }
    } catch (IOException e) {
      throw RepositoryCache.unwritable(revision.folder(), e);
    }
  }

  private static VerifiedFile.Result result(Path content) throws InterruptedException {
    if (!Files.exists(content)) {
      return VerifiedFile.Result.MISSING;
    }
    String name = String.valueOf(content.getFileName());
    var digest = Digest.of(name);
    try {
      if (digest == Digest.NONE) {
        return VerifiedFile.Result.UNKNOWN;
      }
      return digest.name(content, Files.size(content)).equals(name)
          ? VerifiedFile.Result.GOOD
          : VerifiedFile.Result.DAMAGED;
    } catch (IOException _) {
      return VerifiedFile.Result.DAMAGED; // the disk cannot read it
    }
  }
}
