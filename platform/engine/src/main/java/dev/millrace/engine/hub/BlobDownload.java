package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Semaphore;

/**
 * Fetches the content of one file into the cache, in parts, going on where an earlier try stopped,
 * and puts it in its place only if its name is right. One thread, which has the blob's lock.
 */
final class BlobDownload {
  private final Source source;
  private final Means means;
  private final FileProgress progress;

  /** What is fetched. */
  record Source(HubReference asked, String commit, RemoteFile file) {}

  /**
   * What all files of a pull are fetched with.
   *
   * @param connections as many as there may be requests for contents at a time
   */
  record Means(HubClient client, Retrying retrying, Transfers transfers, Semaphore connections) {}

  BlobDownload(Source source, Means means, FileProgress progress) {
    this.source = source;
    this.means = means;
    this.progress = progress;
  }

  /**
   * Fetches what is missing.
   *
   * @param path where it grows
   * @param blob where it goes once it is whole
   */
  void run(Path path, Path blob) throws Exception {
    var file = source.file();
    String name = fetched(path, blob);
    if (!name.equals(file.etag())) {
      means.retrying().notes().accept(file.path() + " came damaged, and is fetched anew");
      name = fetched(path, blob);
    }
    if (!name.equals(file.etag())) {
      throw new InferenceException(
          ErrorCode.INVALID_CHECKPOINT,
          "%s of %s came twice with a content that is not the one named %s, last with %s"
                  .formatted(file.path(), source.asked(), file.etag(), name)
              + "; something between here and the hub changes it");
    }
  }

  /** The name of what has come; only with the right one it is moved, else it is deleted. */
  private String fetched(Path path, Path blob) throws Exception {
    var file = source.file();
    try (var incomplete = IncompleteFile.open(path, file.size(), means.transfers().piece())) {
      progress.set(incomplete.present());
      fill(incomplete);
      var digest = Digest.of(file.etag());
      String name = digest == Digest.NONE ? file.etag() : digest.name(path, file.size());
      if (name.equals(file.etag())) {
        incomplete.moveTo(blob);
      } else {
        Files.delete(path);
        progress.set(0);
      }
      return name;
    }
  }

  private void fill(IncompleteFile incomplete) throws Exception {
    var all = new Span(0, incomplete.size());
    try {
      var missing = incomplete.missing(means.transfers().span());
      if (missing.equals(List.of(all))) {
        new SpanFetch(incomplete, all).run(true);
      } else if (!missing.isEmpty()) {
        Together.run(
            Math.min(missing.size(), means.transfers().connections()),
            missing.stream()
                .map(span -> (Together.Task) () -> new SpanFetch(incomplete, span).run(false))
                .toList());
      }
    } catch (RangesIgnored _) {
      means
          .retrying()
          .run(
              source.file().path(),
              () -> {
                incomplete.reset();
                progress.set(0);
                new SpanFetch(incomplete, all).attempt(true);
                return true;
              });
    }
  }

  private final class SpanFetch {
    private final IncompleteFile incomplete;
    private final Span span;
    private long position;

    SpanFetch(IncompleteFile incomplete, Span span) {
      this.incomplete = incomplete;
      this.span = span;
      this.position = span.start();
    }

    /**
     * Tries until all is there; what has come is not asked for again.
     *
     * @param whole whether the span is the file, and need not be named to the server
     */
    void run(boolean whole) throws InterruptedException {
      means
          .retrying()
          .run(
              source.file().path(),
              () -> {
                attempt(whole && position == span.start());
                return true;
              },
              () -> position);
    }

    void attempt(boolean whole) throws IOException, InterruptedException {
      means.connections().acquire();
      var writer = new RangeWriter(incomplete, span.from(position), progress::add);
      try {
        means.client().fetch(source.asked(), source.commit(), source.file(), whole, writer);
      } finally {
        position = writer.stop();
        means.connections().release();
      }
    }
  }
}
