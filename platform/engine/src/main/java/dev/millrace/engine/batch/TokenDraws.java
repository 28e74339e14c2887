package dev.millrace.engine.batch;

import dev.millrace.engine.sample.SamplingParams;
import java.util.Arrays;
import java.util.Map;

/**
 * Tokens that a device may choose itself, of picked rows that ask for nothing else: no
 * log-probabilities, penalties, bias or bans. Arrays are reused from step to step. Engine thread.
 */
public final class TokenDraws {
  /** What {@link #token} says of a pick that was not drawn. */
  public static final int NOT_DRAWN = -2;

  /** What a device says of a row that no token can be chosen of. */
  public static final int NO_TOKEN = -1;

  private int count;
  private int[] picks = new int[64];
  private Draw[] draws = new Draw[64];
  private int[] tokens = new int[64];

  /**
   * How a token is drawn; as {@code SamplingParams} has it.
   *
   * @param temperature 0: the likeliest token
   * @param index of the draw among those of its request, from 0
   */
  public record Draw(double temperature, int topK, double topP, double minP, long seed, int index) {
    /** The same for a sampler, with nothing else asked for. */
    public SamplingParams params() {
      return new SamplingParams(temperature, topK, topP, minP, 1, 0, 0, Map.of(), seed);
    }
  }

  /** Forgets all draws, for a step of so many picks. */
  public void clear(int allPicks) {
    count = 0;
    if (allPicks > tokens.length) {
      int length = Math.max(allPicks, 2 * tokens.length);
      tokens = new int[length];
      picks = Arrays.copyOf(picks, length);
      draws = Arrays.copyOf(draws, length);
    }
    Arrays.fill(tokens, 0, allPicks, NOT_DRAWN);
  }

  /** Asks for a draw; in ascending order of picks, each at most once. */
  public void add(int pick, Draw draw) {
    picks[count] = pick;
    draws[count++] = draw;
  }

  public int count() {
    return count;
  }

  /** Index into the step's picks. */
  public int pick(int i) {
    return picks[i];
  }

  public Draw draw(int i) {
    return draws[i];
  }

  /** Says what was drawn. */
  public void drawn(int i, int token) {
    tokens[picks[i]] = token;
  }

  /** The token of a pick, or {@link #NOT_DRAWN} or {@link #NO_TOKEN}. */
  public int token(int pick) {
    return tokens[pick];
  }
}
