package dev.millrace.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What a step has to say, gathered and handed over at once. Owned by the engine thread. */
final class Outbox {
  private final List<OutputMessage> messages = new ArrayList<>();
  private final Consumer<StepOutput> output;
  private long nanos;

  Outbox(Consumer<StepOutput> output) {
    this.output = output;
  }

  /** When the step's results became known: one time for all of them. */
  long now() {
    if (messages.isEmpty()) {
      nanos = System.nanoTime();
    }
    return nanos;
  }

  void add(OutputMessage message) {
    now();
    messages.add(message);
  }

  /** Hands over all that was added, as one message. */
  void flush() {
    if (!messages.isEmpty()) {
      output.accept(new StepOutput(nanos, messages));
      messages.clear();
    }
  }
}
