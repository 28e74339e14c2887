package dev.millrace.engine;

import dev.millrace.engine.text.Detokenizer;
import dev.millrace.engine.text.StopRule;

/** Turns the tokens of one answer into text. Owned by the output thread. */
final class TextPipeline {
  private final Detokenizer detokenizer;
  private final StopRule stop;

  TextPipeline(Detokenizer detokenizer, StopRule stop) {
    this.detokenizer = detokenizer;
    this.stop = stop;
  }

  /** Text that may be shown now that this token is known. */
  String append(int token) {
    return stop.feed(detokenizer.append(token));
  }

  /** What is still held back. */
  String finish() {
    String rest = stop.feed(detokenizer.finish());
    return stopped() ? rest : rest + stop.finish();
  }

  /** True once a stop string was found. */
  boolean stopped() {
    return stop.stopped();
  }
}
