package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Takes files of one repository out of the cache. One thread. */
final class Removal {
  private final RepositoryCache repository;
  private long freed;

  Removal(RepositoryCache repository) {
    this.repository = repository;
  }

  /** Removes everything, unless some of it is being fetched; returns bytes that are free now. */
  long all() throws IOException {
    var locks = new ArrayList<BlobLock>();
    try {
      for (String etag : unfinished()) {
        var lock = BlobLock.tryTake(repository.lock(etag));
        if (lock == null) {
          throw new InferenceException(
              ErrorCode.UNAVAILABLE,
              repository.repository() + " is being fetched; end that first, then remove it");
        }
        locks.add(lock);
      }
      delete(repository.folder());
      delete(repository.locks());
      return freed;
    } finally {
      locks.forEach(BlobLock::close);
    }
  }

  private List<String> unfinished() throws IOException {
    if (!Files.isDirectory(repository.blobs())) {
      return List.of();
    }
    try (var blobs = Files.list(repository.blobs())) {
      return blobs
          .map(blob -> String.valueOf(blob.getFileName()))
          .filter(name -> name.endsWith(RepositoryCache.INCOMPLETE))
          .map(name -> name.substring(0, name.length() - RepositoryCache.INCOMPLETE.length()))
          .toList();
    }
  }

  /**
   * Removes files of a commit, and the commit's name if none are left.
   *
   * @param files paths in the repository; empty: all
   */
  long files(String commit, List<String> files) throws IOException {
    Path snapshot = repository.snapshot(commit);
    Set<Path> contents = new HashSet<>();
    for (Path link : links(snapshot)) {
      if (files.isEmpty() || files.contains(snapshot.relativize(link).toString())) {
        if (Files.exists(link)) {
          contents.add(link.toRealPath());
        }
        Files.delete(link);
      }
    }
    if (links(snapshot).isEmpty()) {
      for (var ref : repository.commitsByRevision().entrySet()) {
        if (ref.getValue().equals(commit)) {
          Files.delete(repository.refs().resolve(ref.getKey()));
        }
      }
      delete(snapshot);
    }
    if (repository.commits().isEmpty()) {
      return all();
    }
    for (Path link : links(repository.snapshots())) {
      if (Files.exists(link)) {
        contents.remove(link.toRealPath());
      }
    }
    for (Path content : contents) {
      delete(content);
    }
    return freed;
  }

  /** Everything in a folder that is no folder. */
  private static List<Path> links(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (var all = Files.walk(folder)) {
      return all.filter(path -> !Files.isDirectory(path)).toList();
    }
  }

  private void delete(Path path) throws IOException {
    if (!Files.exists(path)) {
      return;
    }
    Files.walkFileTree(
        path,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            freed += attributes.isRegularFile() ? attributes.size() : 0;
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path folder, @Nullable IOException e)
              throws IOException {
            if (e != null) {
              throw e;
            }
            Files.delete(folder);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
