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

  /**
   * Text that may be shown now that this token is known.
   *
   * @param mayStop whether stop strings count yet; once they do, they go on to
   */
  String append(int token, boolean mayStop) {
    String text = detokenizer.append(token);
    return mayStop ? stop.feed(text) : text;
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
