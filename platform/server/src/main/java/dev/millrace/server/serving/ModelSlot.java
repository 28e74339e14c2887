package dev.millrace.server.serving;

import dev.millrace.engine.EngineStats;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the model in service stands: empty while the first one is loaded, then filled, perhaps with
 * another one, then closed. A model whose place is taken goes on until the last of its requests has
 * been answered. Used by all threads.
 */
public final class ModelSlot implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ModelSlot.class);

  /** A model and the requests that hold it. */
  private static final class Seat {
    final ServedModel model;
    int holders;

    Seat(ServedModel model) {
      this.model = model;
    }
  }

  /** A model that another one has replaced, and the requests it still answers. */
  public record Leaving(String name, int requests) {}

  private final List<Seat> leaving = new ArrayList<>();
  private volatile @Nullable Seat seat;
  private volatile boolean closing;

  /**
   * Puts a model into service. The one before gets no new requests, and is closed after its last
   * one; a slot that was closed meanwhile closes the new one, too.
   *
   * @throws InferenceException {@code UNAVAILABLE} once shutdown has begun
   */
  public synchronized void fill(ServedModel loaded) {
    if (closing) {
      loaded.close();
      throw shuttingDown();
    }
    var before = seat;
    seat = new Seat(loaded);
    if (before != null) {
      leaving.add(before);
      LOG.info("{} leaves after {} requests", before.model.name(), before.holders);
      closeIfDone(before);
    }
  }

  /** The model for one request, and until its end. */
  public final class Hold implements AutoCloseable {
    private @Nullable Seat held;

    private Hold() {}

    /**
     * The same one each time.
     *
     * @throws InferenceException {@code UNAVAILABLE} before it is loaded and once shutdown has
     *     begun
     */
    public ServedModel model() {
      synchronized (ModelSlot.this) {
        var mine = held;
        if (mine == null) {
          mine = present();
          mine.holders++;
          held = mine;
        }
        return mine.model;
      }
    }

    @Override
    public void close() {
      synchronized (ModelSlot.this) {
        var mine = held;
        held = null;
        if (mine != null) {
          mine.holders--;
          closeIfDone(mine);
        }
      }
    }
  }

  /** A hold on nothing yet. */
  public Hold hold() {
    return new Hold();
  }

  /** Whoever ends last clears up; on a thread of its own, as stopping an engine takes a while. */
  private void closeIfDone(Seat old) {
    if (old.holders == 0 && leaving.remove(old)) {
      Thread.ofPlatform()
          .name("retire")
          .start(() -> {
            old.model.close();
            LOG.info("{} has left", old.model.name());
          });
    }
  }

  private Seat present() {
    var now = seat;
    if (closing) {
      throw shuttingDown();
    }
    if (now == null) {
      throw new InferenceException(
          ErrorCode.UNAVAILABLE,
          "the model is still being loaded; GET /health says when it is not");
    }
    return now;
  }

  private static InferenceException shuttingDown() {
    return new InferenceException(ErrorCode.UNAVAILABLE, "the server is shutting down");
  }

  /**
   * The model in service, to look at.
   *
   * @throws InferenceException {@code UNAVAILABLE} before it is loaded and once shutdown has begun
   */
  public ServedModel require() {
    return present().model;
  }

  /** Those that still answer requests from before they were replaced. */
  public synchronized List<Leaving> leaving() {
    return leaving.stream().map(old -> new Leaving(old.model.name(), old.holders)).toList();
  }

  /** True if a request would be served. */
  public boolean serves() {
    var now = seat;
    return now != null && !closing && now.model.engine().ready();
  }

  /** Why the model in service has stopped serving for good; empty while it has not. */
  public Optional<InferenceException> failure() {
    return Optional.ofNullable(seat).flatMap(now -> now.model.engine().failure());
  }

  /** The engine's figures; empty while there is no engine. */
  public Optional<EngineStats> stats() {
    return Optional.ofNullable(seat).map(now -> now.model.engine().stats());
  }

  /** The name in metrics; empty while there is no model. */
  public Optional<String> name() {
    return Optional.ofNullable(seat).map(now -> now.model.name());
  }

  /**
   * Refuses new requests and waits for those inside.
   *
   * @return how many of them did not end in time
   */
  public int drain(Duration atMost) throws InterruptedException {
    closing = true;
    long end = System.nanoTime() + atMost.toNanos();
    int left = 0;
    for (var model : everyone()) {
      left += model.engine().drain(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
    }
    return left;
  }

  private synchronized List<ServedModel> everyone() {
    var all = new ArrayList<Seat>(leaving);
    var now = seat;
    if (now != null) {
      all.add(now);
    }
    return all.stream().map(each -> each.model).toList();
  }

  @Override
  public synchronized void close() {
    closing = true;
    everyone().forEach(ServedModel::close);
    leaving.clear();
    seat = null;
  }
}
