package dev.millrace.server.bench;

import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import java.time.Duration;

/** What has come of one answer, which may end at any time. */
final class Answer {
  private final TokenStream stream;
  private int tokens;
  private boolean ended;

  /** Nothing yet. */
  Answer(TokenStream stream) {
    this.stream = stream;
  }

  /** Waits until there is a token. */
  void awaitFirst() throws InterruptedException {
    while (tokens == 0 && !ended) {
      take(stream.next());
    }
  }

  /** Tokens so far, without waiting for more. */
  int delivered() throws InterruptedException {
    while (!ended) {
      var event = stream.next(Duration.ZERO);
      if (event == null) {
        break;
      }
      take(event);
    }
    return tokens;
  }

  /** Waits for the end. */
  void finish() throws InterruptedException {
    while (!ended) {
      take(stream.next());
    }
  }

  private void take(StreamEvent event) {
    switch (event) {
      case StreamEvent.Prompt _ -> {}
      case StreamEvent.Tokens some -> tokens += some.tokens().size();
      case StreamEvent.Finished _ -> ended = true;
      case StreamEvent.Failed failed -> throw failed.error();
    }
  }
}
