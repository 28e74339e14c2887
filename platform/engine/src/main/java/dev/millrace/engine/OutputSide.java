package dev.millrace.engine;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread that makes text of tokens and wakes readers, so that the engine thread does neither.
 * It gets one list of messages per step.
 */
final class OutputSide implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OutputSide.class);

  /** No step publishes nothing, so an empty list ends the thread. */
  private static final List<OutputMessage> END = List.of();

  private final LinkedBlockingQueue<List<OutputMessage>> inbox = new LinkedBlockingQueue<>();
  private final Consumer<Generation> stopped;
  private final EngineListener listener;
  private final Thread thread;

  /**
   * The thread, not yet started.
   *
   * @param stopped told of requests that end by their text, so that the engine stops computing them
   */
  OutputSide(Consumer<Generation> stopped, EngineListener listener) {
    this.stopped = stopped;
    this.listener = listener;
    this.thread = Thread.ofPlatform().name("output").unstarted(this::run);
  }

  void start() {
    thread.start();
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
    try {
      switch (message) {
        case OutputMessage.Failed failed -> fail(generation, failed.error());
        case OutputMessage.Sampled sampled -> append(generation, sampled);
      }
    } catch (RuntimeException | Error e) { // whatever it is, it is this request's alone
      LOG.error("the answer to {} failed", generation.request.id(), e);
      fail(
          generation,
          new InferenceException(ErrorCode.INTERNAL, "the answer's text failed: " + e, e));
      stopped.accept(generation);
    }
  }

  private void append(Generation generation, OutputMessage.Sampled sampled) {
    generation.completionTokens++;
    var reason = sampled.reason();
    boolean mayStop = generation.completionTokens > generation.request.stop().minTokens();
    String text =
        reason == FinishReason.STOP ? "" : generation.text.append(sampled.token().id(), mayStop);
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
    var took = Duration.ofNanos(System.nanoTime() - sequence.arrivalNanos());
    generation.answered = true;
    listener.finished(reason, usage, took);
    generation.stream.publish(new StreamEvent.Finished(reason, usage));
  }

  private void fail(Generation generation, InferenceException error) {
    generation.answered = true;
    generation.stream.publish(new StreamEvent.Failed(error));
    try {
      listener.failed(error.code());
    } catch (RuntimeException e) {
      LOG.error("a listener failed", e);
    }
  }

  /** Delivers what was published, then ends the thread. */
  @Override
  public void close() {
    inbox.add(END);
    Threads.join(thread);
  }
}
