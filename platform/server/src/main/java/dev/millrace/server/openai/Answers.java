package dev.millrace.server.openai;

import dev.millrace.engine.Engine;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * All answers to one HTTP request while they are made: n for each prompt, read as one stream of
 * events by one thread.
 */
final class Answers implements AutoCloseable {
  /** What happened to which answer. */
  record Event(int index, StreamEvent event) {}

  private final List<TokenStream> streams;
  private final BitSet ended = new BitSet();
  private final LinkedBlockingQueue<Event> merged = new LinkedBlockingQueue<>();

  private Answers(List<TokenStream> streams) {
    this.streams = streams;
  }

  /** Submits so many answers to each request, or none at all. */
  static Answers submit(Engine engine, List<GenerationRequest> requests, int n) {
    var streams = new ArrayList<TokenStream>();
    var answers = new Answers(streams);
    try {
      for (var request : requests) {
        streams.addAll(engine.submit(request, n));
      }
    } catch (RuntimeException e) {
      answers.close();
      throw e;
    }
    if (streams.size() > 1) {
      for (int i = 0; i < streams.size(); i++) {
        answers.pump(i);
      }
    }
    return answers;
  }

  int size() {
    return streams.size();
  }

  /** Waits so long for the next event; null if none came. */
  @Nullable Event next(Duration atMost) throws InterruptedException {
    var event = streams.size() > 1 ? nextOfMany(atMost) : nextOfOne(atMost);
    if (event != null && isEnd(event.event())) {
      ended.set(event.index());
    }
    return event;
  }

  private static boolean isEnd(StreamEvent event) {
    return switch (event) {
      case StreamEvent.Prompt _, StreamEvent.Tokens _ -> false;
      case StreamEvent.Finished _, StreamEvent.Failed _ -> true;
    };
  }

  private @Nullable Event nextOfMany(Duration atMost) throws InterruptedException {
    return merged.poll(atMost.toNanos(), TimeUnit.NANOSECONDS);
  }

  private @Nullable Event nextOfOne(Duration atMost) throws InterruptedException {
    var event = streams.getFirst().next(atMost);
    return event == null ? null : new Event(0, event);
  }

  /** Cancels what has not ended. */
  @Override
  public void close() {
    for (int i = 0; i < streams.size(); i++) {
      if (!ended.get(i)) {
        streams.get(i).cancel();
      }
    }
  }

  /** A stream is read by blocking only, so several need a thread each; every stream ends. */
  private void pump(int index) {
    Thread.ofVirtual()
        .name("answer-" + index)
        .start(() -> {
          try {
            var stream = streams.get(index);
            StreamEvent event;
            do {
              event = stream.next();
              merged.add(new Event(index, event));
            } while (!isEnd(event));
          } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // nobody does
          }
        });
  }
}
