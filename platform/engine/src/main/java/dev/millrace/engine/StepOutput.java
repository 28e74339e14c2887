package dev.millrace.engine;

import java.util.List;

/**
 * All that the engine thread has to say after a step.
 *
 * @param nanos when it became known, on the clock of {@link System#nanoTime}
 */
record StepOutput(long nanos, List<OutputMessage> messages) {
  StepOutput {
    messages = List.copyOf(messages);
  }
}
