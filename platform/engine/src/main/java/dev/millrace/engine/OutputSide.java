package dev.millrace.engine;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;

/**
 * The thread that makes text of tokens and wakes readers, so that the engine thread does neither.
 * It gets one list of messages per step.
 */
final class OutputSide implements AutoCloseable {
  /** No step publishes nothing, so an empty list ends the thread. */
  private static final List<OutputMessage> END = List.of();

  private final LinkedBlockingQueue<List<OutputMessage>> inbox = new LinkedBlockingQueue<>();
  private final Consumer<Generation> stopped;
  private final EngineListener listener;
  private final Thread thread;

  /**
   * Starts the thread.
   *
   * @param stopped told of requests that end by their text, so that the engine stops computing them
   */
  OutputSide(Consumer<Generation> stopped, EngineListener listener) {
    this.stopped = stopped;
    this.listener = listener;
    this.thread = Thread.ofPlatform().name("output").start(this::run);
  }

  /** Takes the messages of a step; never waits. */
  void publish(List<OutputMessage> messages) {
    if (!messages.isEmpty()) {
      inbox.add(List.copyOf(messages));
    }
  }

  private void run() {
    try {
      for (var messages = inbox.take(); !messages.isEmpty(); messages = inbox.take()) {
        messages.forEach(this::deliver);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void deliver(OutputMessage message) {
    var generation = message.generation();
    if (generation.answered) {
      return; // computed after its text had ended
    }
    switch (message) {
      case OutputMessage.Failed failed -> fail(generation, failed.error());
      case OutputMessage.Sampled sampled -> {
        try {
          append(generation, sampled);
        } catch (RuntimeException e) {
          fail(
              generation,
              new InferenceException(ErrorCode.INTERNAL, "the answer's text failed: " + e, e));
          stopped.accept(generation);
        }
      }
    }
  }

  private void append(Generation generation, OutputMessage.Sampled sampled) {
    generation.completionTokens++;
    var reason = sampled.reason();
    String text = reason == FinishReason.STOP ? "" : generation.text.append(sampled.token().id());
    if (reason != null && !generation.text.stopped()) {
      text += generation.text.finish();
    }
    generation.stream.publish(new StreamEvent.Tokens(text, List.of(sampled.token())));
    if (generation.text.stopped()) {
      finish(generation, FinishReason.STOP);
      stopped.accept(generation);
    } else if (reason != null) {
      finish(generation, reason);
    }
  }

  private void finish(Generation generation, FinishReason reason) {
    var sequence = generation.sequence;
    var usage = new Usage(sequence.promptLength(), generation.completionTokens, 0);
    generation.answered = true;
    var took = Duration.ofNanos(System.nanoTime() - sequence.arrivalNanos());
    listener.finished(reason, usage, took);
    generation.stream.publish(new StreamEvent.Finished(reason, usage));
  }

  private void fail(Generation generation, InferenceException error) {
    generation.answered = true;
    listener.failed(error.code());
    generation.stream.publish(new StreamEvent.Failed(error));
  }

  /** Delivers what was published, then ends the thread. */
  @Override
  public void close() {
    inbox.add(END);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
