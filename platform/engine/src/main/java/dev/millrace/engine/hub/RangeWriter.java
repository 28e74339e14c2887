package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes one body to its place in a file, as it comes. Once stopped it writes no more, whatever
 * still comes.
 */
final class RangeWriter implements HttpResponse.BodySubscriber<Void> {
  private final IncompleteFile file;
  private final Span span;
  private final LongConsumer progress;
  private final CompletableFuture<Void> body = new CompletableFuture<>();
  private Flow.@Nullable Subscription subscription;
  private long position;
  private boolean stopped;

  /**
   * Writes into a file.
   *
   * @param span what is expected
   * @param progress hears of bytes that are written
   */
  RangeWriter(IncompleteFile file, Span span, LongConsumer progress) {
    this.file = file;
    this.span = span;
    this.progress = progress;
    this.position = span.start();
  }

  /** The byte after the last one that is written. */
  synchronized long position() {
    return position;
  }

  /** What has not been written. */
  Span rest() {
    return span.from(position());
  }

  @Override
  public CompletionStage<Void> getBody() {
    return body;
  }

  @Override
  public synchronized void onSubscribe(Flow.Subscription given) {
    subscription = given;
    given.request(1);
  }

  @Override
  public synchronized void onNext(List<ByteBuffer> buffers) {
    if (stopped || subscription == null) {
      return;
    }
    try {
      for (var buffer : buffers) {
        write(buffer);
      }
      subscription.request(1);
    } catch (TransientFailure e) {
      end(e);
    } catch (IOException e) {
      end(new InferenceException(ErrorCode.OUT_OF_SPACE, "the cache cannot be written: " + e, e));
    }
  }

  private void write(ByteBuffer buffer) throws IOException {
    int length = buffer.remaining();
    if (position + length > span.end()) {
      throw new TransientFailure("more came than was asked for");
    }
    long before = position;
    file.write(buffer, position);
    position += length;
    file.note(new Span(span.start(), position), before);
    progress.accept(length);
  }

  private void end(Exception why) {
    stopped = true;
    if (subscription != null) {
      subscription.cancel();
    }
    body.completeExceptionally(why);
  }

  @Override
  public synchronized void onError(Throwable thrown) {
    body.completeExceptionally(thrown);
  }

  @Override
  public synchronized void onComplete() {
    if (position == span.end()) {
      body.complete(null);
    } else {
      body.completeExceptionally(
          new TransientFailure(
              "the answer ended after %,d of %,d bytes"
                  .formatted(position - span.start(), span.length())));
    }
  }

  /** Writes no more; returns the byte after the last one that is written. */
  synchronized long stop() {
    stopped = true;
    if (subscription != null) {
      subscription.cancel();
    }
    return position;
  }
}
