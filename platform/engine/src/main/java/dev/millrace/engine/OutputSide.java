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
 * It gets one message per step.
 */
final class OutputSide implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(OutputSide.class);

  /** No step publishes nothing, so an empty output ends the thread. */
  private static final StepOutput END = new StepOutput(0, List.of());

  private final LinkedBlockingQueue<StepOutput> inbox = new LinkedBlockingQueue<>();
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

  /** Takes what a step has to say; never waits. */
  void publish(StepOutput output) {
    inbox.add(output);
  }

  private void run() {
    try {
      for (var output = inbox.take(); !output.messages().isEmpty(); output = inbox.take()) {
        for (var message : output.messages()) {
          deliver(message, output.nanos());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void deliver(OutputMessage message, long nanos) {
    var generation = message.generation();
    if (generation.answered) {
      return; // computed after its text had ended
    }
    try {
      switch (message) {
        case OutputMessage.Failed failed -> fail(generation, failed.error());
        case OutputMessage.Prompt prompt ->
            generation.stream.publish(new StreamEvent.Prompt(prompt.tokens()));
        case OutputMessage.Sampled sampled -> {
          measure(generation, nanos);
          append(generation, sampled);
        }
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

  private void measure(Generation generation, long nanos) {
    if (generation.completionTokens == 0) {
      listener.firstToken(Duration.ofNanos(nanos - generation.sequence.arrivalNanos()));
    } else {
      listener.nextToken(Duration.ofNanos(nanos - generation.lastTokenNanos));
    }
    generation.lastTokenNanos = nanos;
  }

  private void finish(Generation generation, FinishReason reason) {
    var sequence = generation.sequence;
    var usage =
        new Usage(sequence.promptLength(), generation.completionTokens, generation.cachedTokens);
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
