package dev.millrace.engine.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The merges of a SentencePiece vocabulary, which files leave to their readers: every way to put a
 * piece together of two others, pieces with a higher score first.
 */
final class SentencePieces {
  private static final String SCORES = "tokenizer.ggml.scores";

  /** Longer pieces are runs of spaces and the like; each has as many ways as characters. */
  private static final int LONGEST = 1 << 7;

  private final GgufVocabulary vocabulary;
  private final double[] scores;

  private SentencePieces(GgufVocabulary vocabulary, double[] scores) {
    this.vocabulary = vocabulary;
    this.scores = scores;
  }

  /** One merge. */
  private record Merge(int left, int right, double score) {}

  /**
   * The pieces of a vocabulary.
   *
   * @throws dev.millrace.spi.InferenceException {@code INVALID_CHECKPOINT} if there is not one
   *     score for each
   */
  static SentencePieces of(GgufVocabulary vocabulary) {
    double[] scores = vocabulary.metadata().reals(SCORES);
    if (scores.length != vocabulary.tokens().size()) {
      throw vocabulary
          .metadata()
          .wrong(
              "%s has %d entries for %d tokens"
                  .formatted(SCORES, scores.length, vocabulary.tokens().size()));
    }
    return new SentencePieces(vocabulary, scores);
  }

  /** Writes the merges, best first. */
  void put(ArrayNode merges) {
    List<Merge> all = new ArrayList<>();
    for (int id = 0; id < scores.length; id++) {
      if (mergeable(id)) {
        all.addAll(waysTo(id));
      }
    }
    all.sort(Comparator.comparingDouble(Merge::score).reversed());
    for (Merge merge : all) {
      merges
          .addArray()
          .add(vocabulary.tokens().get(merge.left()))
          .add(vocabulary.tokens().get(merge.right()));
    }
  }

  private boolean mergeable(int id) {
    long type = vocabulary.types()[id];
    return type != GgufVocabulary.CONTROL
        && type != GgufVocabulary.UNKNOWN
        && type != GgufVocabulary.UNUSED
        && type != GgufVocabulary.BYTE;
  }

  private List<Merge> waysTo(int id) {
    String piece = vocabulary.tokens().get(id);
    List<Merge> ways = new ArrayList<>();
    if (piece.length() > LONGEST) {
      return ways;
    }
    for (int at = 1; at < piece.length(); at++) {
      if (Character.isLowSurrogate(piece.charAt(at))) {
        continue;
      }
      Integer left = vocabulary.ids().get(piece.substring(0, at));
      Integer right = vocabulary.ids().get(piece.substring(at));
      if (left != null && right != null) {
        ways.add(new Merge(left, right, scores[id]));
      }
    }
    ways.sort(Comparator.comparingInt(Merge::left).thenComparingInt(Merge::right));
    return ways;
  }
}
