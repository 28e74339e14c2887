package dev.millrace.engine;

import dev.millrace.engine.sample.SampledToken;
import java.util.ArrayList;
import java.util.List;

/**
 * The answers to one prompt. One of them computes the prompt; the others are held back until it is
 * computed, and then share its blocks. Owned by the engine thread once it is submitted.
 */
final class AnswerGroup {
  private final List<Generation> heldBack = new ArrayList<>();
  private final List<SampledToken> reported = new ArrayList<>();
  private final boolean single;

  /** A group of so many answers. */
  AnswerGroup(int answers) {
    single = answers == 1;
  }

  /** Whether there never was more than one answer. */
  boolean isSingle() {
    return single;
  }

  void holdBack(Generation sibling) {
    heldBack.add(sibling);
  }

  /** Keeps log-probabilities of the prompt for those that did not compute it. */
  void report(List<SampledToken> tokens) {
    if (!single) {
      reported.addAll(tokens);
    }
  }

  List<SampledToken> reported() {
    return reported;
  }

  List<Generation> heldBack() {
    return heldBack;
  }
}
