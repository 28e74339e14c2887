package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;

/** A hub, and the cache of what it has. Any thread. */
public final class Hub implements AutoCloseable {
  private final HubSettings settings;
  private final HubClient client;
  private final Backoff backoff;
  private final Transfers transfers;

  public Hub(HubSettings settings) {
    this(settings, Backoff.USUAL, Transfers.USUAL);
  }

  Hub(HubSettings settings, Backoff backoff, Transfers transfers) {
    this.settings = settings;
    this.client = new HubClient(settings);
    this.backoff = backoff;
    this.transfers = transfers;
  }

  /**
   * Brings a model into the cache, or what is missing of it; what is there is neither fetched nor
   * hashed again. A hub that cannot be reached is no error if the model is there.
   *
   * @return the model's directory, or its GGUF file
   * @throws InferenceException saying what would help: {@code UNKNOWN_CHECKPOINT}, {@code
   *     ACCESS_DENIED}, {@code HUB_UNAVAILABLE}, {@code INVALID_CHECKPOINT}, {@code OUT_OF_SPACE};
   *     {@code CANCELLED} if the thread is interrupted. What has been fetched stays, and is not
   *     fetched again
   */
  public Path pull(HubReference wanted, Extent extent, PullListener listener) {
    var cached =
        new CachedModel(new RepositoryCache(settings.cache(), wanted.repository()), wanted);
    if (settings.offline()) {
      return cached.require(extent, "HF_HUB_OFFLINE is set, and nothing is fetched");
    }
    try {
      return online(wanted, extent, listener, cached);
    } catch (InferenceException e) {
      throw e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InferenceException(
          ErrorCode.CANCELLED,
          "the pull of " + wanted + " was interrupted; what came so far is kept",
          e);
    } catch (IOException e) {
      throw RepositoryCache.unwritable(settings.cache(), e);
    } catch (Exception e) {
      throw new InferenceException(
          ErrorCode.INTERNAL, "the pull of " + wanted + " failed: " + e, e);
    }
  }

  private Path online(HubReference wanted, Extent extent, PullListener listener, CachedModel cached)
      throws Exception {
    var present = cached.find(extent);
    var asking = new Retrying(present.isPresent() ? backoff.once() : backoff, listener::note);
    RepositoryListing listing;
    try {
      listing = asking.run("the list of files of " + wanted, () -> client.list(wanted));
    } catch (InferenceException e) {
      if (e.code() != ErrorCode.HUB_UNAVAILABLE) {
        throw e;
      }
      if (present.isEmpty()) {
        throw new InferenceException(e.code(), e.getMessage() + "; " + cached.describe(), e);
      }
      listener.note("%s; using what is cached: %s".formatted(e.getMessage(), present.get()));
      return present.get();
    }
    var means =
        new BlobDownload.Means(
            client,
            new Retrying(backoff, listener::note),
            transfers,
            new Semaphore(transfers.connections(), true));
    try (var pull = new Pull(wanted, listing, cached.repository(), means, listener)) {
      return pull.run(extent);
    }
  }

  @Override
  public void close() {
    client.close();
  }
}
