package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A model as far as the cache has it. */
record CachedModel(RepositoryCache repository, HubReference wanted) {

  /** Where it is, if all of it is there. */
  Optional<Path> find(Extent extent) {
    try {
      return Optional.of(require(extent, ""));
    } catch (InferenceException _) {
      return Optional.empty();
    }
  }

  /**
   * Where it is.
   *
   * @param why it is not fetched, for the message
   * @throws InferenceException {@code HUB_UNAVAILABLE} saying what is missing and what is there
   */
  Path require(Extent extent, String why) {
    String commit =
        repository
            .commit(wanted.revision())
            .filter(c -> Files.isDirectory(repository.snapshot(c)))
            .orElseThrow(() -> unavailable(why, describe()));
    var files = repository.files(commit);
    Path snapshot = repository.snapshot(commit);
    try {
      var served = new ServedFiles(wanted, files);
      var ggufs = new GgufFiles(wanted, files);
      if (ggufs.areMeant(served)) {
        return snapshot.resolve(ggufs.choose().getFirst());
      }
      served.requireTexts();
      if (extent == Extent.ALL) {
        served.weights(snapshot);
      }
      return snapshot;
    } catch (InferenceException e) {
      throw unavailable(why, "what is cached of it is not whole: " + e.getMessage());
    }
  }

  private InferenceException unavailable(String why, String what) {
    return new InferenceException(
        ErrorCode.HUB_UNAVAILABLE, "%s: %s; %s".formatted(wanted, why, what));
  }

  /** What the cache has instead, in words. */
  String describe() {
    var revisions = repository.revisions();
    if (!revisions.isEmpty()) {
      return "of this model are cached the revisions " + String.join(", ", revisions);
    }
    var others =
        RepositoryCache.all(repository.cache()).stream().map(RepositoryCache::repository).toList();
    return others.isEmpty()
        ? "no model is cached in " + repository.cache()
        : "not cached; in %s are: %s".formatted(repository.cache(), String.join(", ", others));
  }
}
