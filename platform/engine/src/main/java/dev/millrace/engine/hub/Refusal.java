package dev.millrace.engine.hub;

import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/** Ends an answer whose head is wrong before its body is read. */
final class Refusal implements HttpResponse.BodySubscriber<Void> {
  private final CompletableFuture<Void> body = new CompletableFuture<>();

  Refusal(Exception why) {
    body.completeExceptionally(why);
  }

  @Override
  public CompletionStage<Void> getBody() {
    return body;
  }

  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    subscription.cancel();
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {}

  @Override
  public void onError(Throwable thrown) {}

  @Override
  public void onComplete() {}
}
