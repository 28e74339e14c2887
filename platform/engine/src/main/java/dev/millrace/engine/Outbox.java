package dev.millrace.engine;

import java.util.ArrayList;
import java.util.List;

/** What a step has to say, gathered and handed over at once. Owned by the engine thread. */
final class Outbox {
  private final List<OutputMessage> messages = new ArrayList<>();
  private final OutputSide output;

  Outbox(OutputSide output) {
    this.output = output;
  }

  void add(OutputMessage message) {
    messages.add(message);
  }

  /** Hands over all that was added, as one message. */
  void flush() {
    output.publish(messages);
    messages.clear();
  }
}
