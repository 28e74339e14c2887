package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Where a repository lies in the cache. In {@code models--ORG--NAME}: {@code blobs/ETAG} with
 * contents, {@code snapshots/COMMIT/PATH} with symbolic links to them, {@code refs/REVISION} with a
 * commit; beside it {@code .locks/models--ORG--NAME/ETAG.lock}.
 *
 * <p>Source: the cache of Python's huggingface_hub, version 1.
 */
record RepositoryCache(Path cache, String repository) {
  static final String PREFIX = "models--";
  static final String LOCKS = ".locks";

  /** Blobs that are being fetched; Python's tools list what ends like this as unfinished. */
  static final String INCOMPLETE = ".millrace.incomplete";

  String folderName() {
    return PREFIX + repository.replace("/", "--");
  }

  Path folder() {
    return cache.resolve(folderName());
  }

  Path blobs() {
    return folder().resolve("blobs");
  }

  Path blob(RemoteFile file) {
    return blobs().resolve(file.etag());
  }

  Path incomplete(RemoteFile file) {
    return blobs().resolve(file.etag() + INCOMPLETE);
  }

  Path locks() {
    return cache.resolve(LOCKS).resolve(folderName());
  }

  Path lock(String etag) {
    return locks().resolve(etag + ".lock");
  }

  Path snapshots() {
    return folder().resolve("snapshots");
  }

  Path snapshot(String commit) {
    return snapshots().resolve(commit);
  }

  Path refs() {
    return folder().resolve("refs");
  }

  /** The commit that a revision was when it was last asked for, or that it is the beginning of. */
  Optional<String> commit(String revision) {
    if (revision.matches("[0-9a-f]{7,40}")) {
      var found = commits().stream().filter(commit -> commit.startsWith(revision)).toList();
      if (found.size() == 1) {
        return Optional.of(found.getFirst());
      }
    }
    Path ref = refs().resolve(revision);
    try {
      return Files.isRegularFile(ref)
          ? Optional.of(Files.readString(ref).strip()).filter(RepositoryListing::isCommit)
          : Optional.empty();
    } catch (IOException e) {
      throw unwritable(ref, e);
    }
  }

  void keepCommit(String revision, String commit) throws IOException {
    if (!RepositoryListing.isCommit(revision) && !commit(revision).equals(Optional.of(commit))) {
      Path ref = refs().resolve(revision);
      Files.createDirectories(Objects.requireNonNull(ref.getParent(), "refs"));
      Path written = beside(ref);
      Files.write(written, commit.getBytes(StandardCharsets.US_ASCII));
      Files.move(written, ref, StandardCopyOption.ATOMIC_MOVE);
    }
  }

  /** Puts a blob into a snapshot, in place of whatever had the name. */
  void link(RemoteFile file, String commit) throws IOException {
    Path pointer = snapshot(commit).resolve(file.path());
    Path folder = Objects.requireNonNull(pointer.getParent(), "a snapshot");
    Files.createDirectories(folder);
    Path made = beside(pointer);
    Files.createSymbolicLink(made, folder.relativize(blob(file)));
    Files.move(made, pointer, StandardCopyOption.ATOMIC_MOVE);
  }

  /** The folders of commits that there are, whole or not. */
  List<String> commits() {
    return names(snapshots()).stream().filter(RepositoryListing::isCommit).toList();
  }

  /** Names of branches and tags, and the commits that they are. */
  Map<String, String> commitsByRevision() {
    var found = new TreeMap<String, String>();
    if (Files.isDirectory(refs())) {
      try (var all = Files.walk(refs())) {
        all.filter(Files::isRegularFile)
            .map(ref -> refs().relativize(ref).toString())
            .forEach(name -> commit(name).ifPresent(commit -> found.put(name, commit)));
      } catch (IOException e) {
        throw unwritable(refs(), e);
      }
    }
    return found;
  }

  /** Everything that may stand behind the colon. */
  List<String> revisions() {
    var commits = commits();
    return Stream.concat(
            commitsByRevision().entrySet().stream()
                .filter(ref -> commits.contains(ref.getValue()))
                .map(Map.Entry::getKey),
            commits.stream())
        .toList();
  }

  /** All repositories of models in a cache. */
  static List<RepositoryCache> all(Path cache) {
    return names(cache).stream()
        .filter(name -> name.startsWith(PREFIX) && name.length() > PREFIX.length())
        .map(name -> name.substring(PREFIX.length()).replace("--", "/"))
        .map(repository -> new RepositoryCache(cache, repository))
        .toList();
  }

  /** Names of the folders in a folder, in order. */
  private static List<String> names(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (var all = Files.list(folder)) {
      return all.filter(Files::isDirectory)
          .map(path -> String.valueOf(path.getFileName()))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw unwritable(folder, e);
    }
  }

  private static Path beside(Path path) {
    return path.resolveSibling("." + UUID.randomUUID() + ".new");
  }

  /** Paths of the files that a snapshot has; links that lead nowhere are left out. */
  List<String> files(String commit) {
    Path snapshot = snapshot(commit);
    var files = new ArrayList<String>();
    if (Files.isDirectory(snapshot)) {
      try (var all = Files.walk(snapshot)) {
        all.filter(Files::isRegularFile)
            .map(file -> snapshot.relativize(file).toString())
            .sorted()
            .forEach(files::add);
      } catch (IOException e) {
        throw unwritable(snapshot, e);
      }
    }
    return files;
  }

  static InferenceException unwritable(Path path, IOException e) {
    return new InferenceException(
        ErrorCode.INVALID_CONFIGURATION,
        "the cache of models cannot be used at %s: %s (HF_HUB_CACHE names another folder)"
            .formatted(path, Retrying.reason(e)),
        e);
  }
}
