package dev.millrace.server.quality;

import dev.millrace.engine.LogitReader;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a model reads texts.
 *
 * @param perplexity of the tokens that counted positions expect
 * @param divergence mean Kullback-Leibler divergence, in nats, of what it expects from what the
 *     baseline expects
 * @param agreement part of the positions where both expect the same token most
 * @param positions that were counted
 */
record TextScore(double perplexity, double divergence, double agreement, long positions) {

  /** How many positions of these texts count. */
  static long positions(List<Text> texts) {
    return texts.stream().mapToLong(Text::positions).sum();
  }

  /**
   * Has a model read.
   *
   * @param baseline of the same texts; null for the baseline itself
   * @param kept where its own log-probabilities go; null if nobody wants them
   */
  static TextScore of(
      LogitReader reader, List<Text> texts, @Nullable LogProbs baseline, @Nullable LogProbs kept) {
    var sums = new Sums(baseline, kept, reader.model().spec().vocabulary());
    for (var text : texts) {
      sums.begin(text);
      reader.read(text.tokens(), sums::add);
    }
    return sums.score();
  }

  private static final class Sums {
    private final @Nullable LogProbs baseline;
    private final @Nullable LogProbs kept;
    private final float[] expected;
    private Text text = new Text(new int[0], 0);
    private int at;
    private long positions;
    private long agreed;
    private double loss;
    private double divergence;

    Sums(@Nullable LogProbs baseline, @Nullable LogProbs kept, int vocabulary) {
      this.baseline = baseline;
      this.kept = kept;
      this.expected = new float[vocabulary];
    }

    void begin(Text next) {
      text = next;
      at = 0;
    }

    void add(float[] logits) {
      if (!text.counts(at++)) {
        return;
      }
      LogProbs.normalise(logits);
      loss -= logits[text.tokens()[at]];
      if (kept != null) {
        kept.write(positions, logits);
      }
      if (baseline != null) {
        baseline.read(positions, expected);
        compare(logits);
      }
      positions++;
    }

    private void compare(float[] logProbs) {
      int ours = 0;
      int theirs = 0;
      double sum = 0;
      for (int i = 0; i < logProbs.length; i++) {
        sum += Math.exp(expected[i]) * (expected[i] - (double) logProbs[i]);
        ours = logProbs[i] > logProbs[ours] ? i : ours;
        theirs = expected[i] > expected[theirs] ? i : theirs;
      }
      divergence += sum;
      agreed += ours == theirs ? 1 : 0;
    }

    TextScore score() {
      boolean alone = baseline == null;
      return new TextScore(
          Math.exp(loss / positions),
          alone ? 0 : divergence / positions,
          alone ? 1 : (double) agreed / positions,
          positions);
    }
  }
}
