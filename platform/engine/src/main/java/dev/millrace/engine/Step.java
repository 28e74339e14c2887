package dev.millrace.engine;

import dev.millrace.engine.batch.TokenDraws;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One step on its way through the device: who takes part with how much, and what is drawn for them.
 * Used again and again. Owned by the engine thread.
 */
final class Step {
  private final List<Generation> generations = new ArrayList<>();
  private final TokenDraws draws = new TokenDraws();
  private int[] tokens = new int[16];
  private int[] picks = new int[16];
  private int allPicks;
  private int promptTokens;

  void clear() {
    generations.clear();
    allPicks = 0;
    promptTokens = 0;
  }

  /**
   * Adds a sequence, before its tokens are counted as computed.
   *
   * @param itsTokens that the step computes
   * @param itsPicks rows of them whose logits are picked
   */
  void add(Generation generation, int itsTokens, int itsPicks) {
    int i = generations.size();
    if (i == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * i);
      picks = Arrays.copyOf(picks, 2 * i);
    }
    generations.add(generation);
    tokens[i] = itsTokens;
    picks[i] = itsPicks;
    allPicks += itsPicks;
    var sequence = generation.sequence;
    promptTokens += Math.clamp(sequence.promptLength() - sequence.computed(), 0, itsTokens);
  }

  boolean isEmpty() {
    return generations.isEmpty();
  }

  int size() {
    return generations.size();
  }

  Generation generation(int i) {
    return generations.get(i);
  }

  int tokens(int i) {
    return tokens[i];
  }

  int picks(int i) {
    return picks[i];
  }

  int allPicks() {
    return allPicks;
  }

  /** Tokens of prompts among those it computes. */
  int promptTokens() {
    return promptTokens;
  }

  TokenDraws draws() {
    return draws;
  }
}
