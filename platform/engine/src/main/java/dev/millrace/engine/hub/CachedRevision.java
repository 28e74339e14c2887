package dev.millrace.engine.hub;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/**
 * One commit of a model in the cache.
 *
 * @param repository {@code ORG/NAME}
 * @param revisions branches and tags that are this commit
 * @param folder its snapshot
 * @param files paths of its files
 * @param bytes of their contents, each counted once
 * @param lastUsed when a content was last read, as far as the file system keeps that
 * @param servable whether all is there that a server needs
 */
public record CachedRevision(
    String repository,
    String commit,
    List<String> revisions,
    Path folder,
    List<String> files,
    long bytes,
    Instant lastUsed,
    boolean servable) {
  public CachedRevision {
    revisions = List.copyOf(revisions);
    files = List.copyOf(files);
  }
}
