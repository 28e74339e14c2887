package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Brings one model at one commit into the cache: small files first, weights last, the revision's
 * name when all is there. One thread.
 */
final class Pull implements AutoCloseable {
  private static final long TICK_MILLIS = 200;

  private final HubReference wanted;
  private final RepositoryListing listing;
  private final RepositoryCache repository;
  private final BlobDownload.Means means;
  private final PullListener listener;
  private final PullProgress progress;
  private final Thread ticker;

  Pull(
      HubReference wanted,
      RepositoryListing listing,
      RepositoryCache repository,
      BlobDownload.Means means,
      PullListener listener) {
    this.wanted = wanted;
    this.listing = listing;
    this.repository = repository;
    this.means = means;
    this.listener = listener;
    this.progress = new PullProgress(wanted.toString());
    this.ticker = Thread.ofVirtual().name("hub-progress").start(this::tick);
  }

  private void tick() {
    try {
      while (true) {
        Thread.sleep(TICK_MILLIS);
        progress.mark();
        if (progress.total() > progress.presentAtFirst()) {
          listener.moved(progress);
        }
      }
    } catch (InterruptedException _) {
      // the pull is over
    }
  }

  /** Where the model is, now that all of it is there. */
  Path run(Extent extent) throws Exception {
    Path snapshot = repository.snapshot(listing.commit());
    Files.createDirectories(snapshot);
    Files.createDirectories(repository.blobs());
    var served = new ServedFiles(wanted, listing.files());
    var ggufs = new GgufFiles(wanted, listing.files());
    Path model = snapshot;
    if (ggufs.areMeant(served)) {
      var files = ggufs.choose();
      bring(files);
      model = snapshot.resolve(files.getFirst());
    } else {
      bring(served.small());
      if (extent == Extent.ALL) {
        bring(served.weights(snapshot));
      }
    }
    repository.keepCommit(wanted.revision(), listing.commit());
    return model;
  }

  private void bring(List<String> paths) throws Exception {
    Path snapshot = repository.snapshot(listing.commit());
    var missing = paths.stream().filter(path -> !Files.exists(snapshot.resolve(path))).toList();
    if (missing.isEmpty()) {
      return;
    }
    var wantedFiles = Collections.synchronizedList(new ArrayList<RemoteFile>());
    Together.run(
        means.transfers().connections(),
        missing.stream()
            .map(path -> (Together.Task) () -> wantedFiles.add(described(path)))
            .toList());
    var files = new ArrayList<Task>();
    long absent = 0;
    for (String path : missing) {
      var file = wantedFiles.stream().filter(f -> f.path().equals(path)).findFirst().orElseThrow();
      long present = present(file);
      progress.expect(file.size(), present);
      absent += file.size() - present;
      files.add(new Task(file, present));
    }
    requireSpace(absent);
    Together.run(means.transfers().files(), files);
  }

  private RemoteFile described(String path) throws InterruptedException {
    return means
        .retrying()
        .run(path, () -> means.client().describe(wanted, listing.commit(), path));
  }

  private long present(RemoteFile file) throws IOException {
    return Files.exists(repository.blob(file))
        ? file.size()
        : IncompleteFile.present(
            repository.incomplete(file), file.size(), means.transfers().piece());
  }

  private void requireSpace(long bytes) throws IOException {
    long free = Files.getFileStore(repository.blobs()).getUsableSpace();
    if (bytes > free) {
      throw new InferenceException(
          ErrorCode.OUT_OF_SPACE,
          "%s needs %s more in %s, where %s are free: "
                  .formatted(
                      wanted, PullProgress.size(bytes), repository.cache(), PullProgress.size(free))
              + "./millrace models remove makes room, HF_HUB_CACHE names another folder");
    }
  }

  /** One file. */
  private final class Task implements Together.Task {
    private final RemoteFile file;
    private final long present;

    Task(RemoteFile file, long present) {
      this.file = file;
      this.present = present;
    }

    @Override
    public void run() throws Exception {
      var counted = new FileProgress(progress, present);
      Path blob = repository.blob(file);
      if (!Files.exists(blob)) {
        Runnable whenHeld =
            () -> listener.note(file.path() + " is being fetched by somebody else; waiting");
        try (var _ = BlobLock.take(repository.lock(file.etag()), whenHeld)) {
          if (!Files.exists(blob)) {
            var source = new BlobDownload.Source(wanted, listing.commit(), file);
            new BlobDownload(source, means, counted).run(repository.incomplete(file), blob);
          }
        }
      }
      if (Files.size(blob) != file.size()) {
        throw new InferenceException(
            ErrorCode.INVALID_CHECKPOINT,
            "%s has %,d bytes, not %,d: ./millrace models verify --drop %s, then pull again"
                .formatted(blob, Files.size(blob), file.size(), wanted.repository()));
      }
      counted.set(file.size());
      repository.link(file, listing.commit());
    }
  }

  @Override
  public void close() {
    ticker.interrupt();
    try {
      ticker.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    progress.stop();
    if (progress.total() > progress.presentAtFirst()) {
      listener.ended(progress);
    }
  }
}
