package dev.millrace.server.serving;

import dev.millrace.engine.EngineStats;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where the model in service stands: empty while it is loaded, then filled once, then closed. Used
 * by all threads.
 */
public final class ModelSlot implements AutoCloseable {
  private volatile @Nullable ServedModel model;
  private volatile boolean closing;

  /** Puts the model into service; a slot that was closed meanwhile closes the model, too. */
  public synchronized void fill(ServedModel loaded) {
    if (closing) {
      loaded.close();
    } else {
      model = loaded;
    }
  }

  /**
   * The model, for a request.
   *
   * @throws InferenceException {@code UNAVAILABLE} before it is loaded and once shutdown has begun
   */
  public ServedModel require() {
    var served = model;
    if (closing) {
      throw new InferenceException(ErrorCode.UNAVAILABLE, "the server is shutting down");
    }
    if (served == null) {
      throw new InferenceException(
          ErrorCode.UNAVAILABLE,
          "the model is still being loaded; GET /health says when it is not");
    }
    return served;
  }

  /** True if a request would be served. */
  public boolean serves() {
    var served = model;
    return served != null && !closing && served.engine().ready();
  }

  /** The engine's figures; empty while there is no engine. */
  public Optional<EngineStats> stats() {
    return Optional.ofNullable(model).map(served -> served.engine().stats());
  }

  /**
   * Refuses new requests and waits for those inside.
   *
   * @return how many of them did not end in time
   */
  public int drain(Duration atMost) throws InterruptedException {
    closing = true;
    var served = model;
    return served == null ? 0 : served.engine().drain(atMost);
  }

  @Override
  public synchronized void close() {
    closing = true;
    var served = model;
    if (served != null) {
      model = null;
      served.close();
    }
  }
}
