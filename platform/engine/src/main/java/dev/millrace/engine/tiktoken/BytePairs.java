package dev.millrace.engine.tiktoken;

import java.util.Map;
import java.util.OptionalInt;

/**
 * How tiktoken makes tokens of bytes: of all neighbours whose bytes joined are a token, those of
 * the lowest rank are joined first, the leftmost of equals. Hugging Face's byte pairs are the same
 * where each token is made of one pair alone, namely the one that its own bytes lead to.
 *
 * @param ranks of the tokens, which have a character for each byte
 */
record BytePairs(Map<String, Integer> ranks) {

  /** Where a token's last two parts meet; empty if its own bytes do not lead to it. */
  OptionalInt lastJoint(String token) {
    int parts = token.length();
    int[] starts = new int[parts + 1];
    int[] joined = new int[parts]; // rank of the part from starts[i] joined with the next
    for (int i = 0; i <= parts; i++) {
      starts[i] = i;
    }
    for (int i = 0; i + 1 < parts; i++) {
      joined[i] = rank(token, starts[i], starts[i + 2]);
    }
    while (parts > 2) {
      int best = lowest(joined, parts - 1);
      if (joined[best] == Integer.MAX_VALUE) {
        return OptionalInt.empty();
      }
      System.arraycopy(starts, best + 2, starts, best + 1, parts - best - 1);
      System.arraycopy(joined, best + 1, joined, best, parts - best - 2);
      parts--;
      if (best + 1 < parts) {
        joined[best] = rank(token, starts[best], starts[best + 2]);
      }
      if (best > 0) {
        joined[best - 1] = rank(token, starts[best - 1], starts[best + 1]);
      }
    }
    return parts == 2 ? OptionalInt.of(starts[1]) : OptionalInt.empty();
  }

  private int rank(String token, int from, int to) {
    return ranks.getOrDefault(token.substring(from, to), Integer.MAX_VALUE);
  }

  private static int lowest(int[] joined, int count) {
    int best = 0;
    for (int i = 1; i < count; i++) {
      best = joined[i] < joined[best] ? i : best;
    }
    return best;
  }
}
