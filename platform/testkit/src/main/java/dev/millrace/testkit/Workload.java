package dev.millrace.testkit;

import dev.millrace.engine.schedule.Sequence;
import dev.millrace.spi.schedule.Limits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Sequences that arrive at an engine of given limits.
 *
 * @param arrivals in order of arrival
 */
record Workload(Limits limits, List<Arrival> arrivals) {
  private static final long MILLISECOND = 1_000_000;

  Workload {
    arrivals = List.copyOf(arrivals);
  }

  /**
   * One sequence and how it ends.
   *
   * @param answer tokens after which it ends by itself
   * @param leavesAtNanos when its client leaves; {@link Long#MAX_VALUE}: never
   */
  record Arrival(Sequence sequence, int answer, long leavesAtNanos) {
    /** The sequence at its longest. */
    int tokens() {
      return sequence.promptLength() + answer;
    }
  }

  /** A small random workload, the same for the same seed. */
  static Workload random(long seed) {
    var random = new SplittableRandom(seed);
    int count = random.nextInt(1, 13);
    int longestPrompt = random.nextInt(1, 48);
    int longestAnswer = random.nextInt(1, 24);
    long gap = random.nextInt(4) * (20 * MILLISECOND);
    boolean impatient = random.nextInt(4) == 0;
    long now = random.nextLong(-1L << 50, 1L << 50); // only differences mean anything
    var arrivals = new ArrayList<Arrival>();
    for (int i = 0; i < count; i++) {
      now += gap == 0 || random.nextBoolean() ? 0 : random.nextLong(gap);
      int answer = random.nextInt(1, longestAnswer + 1);
      int prompt = random.nextInt(1, longestPrompt + 1);
      long leaves =
          impatient && random.nextBoolean()
              ? now + random.nextLong(200) * MILLISECOND
              : Long.MAX_VALUE;
      int mayAnswer = random.nextBoolean() ? answer : answer + random.nextInt(longestAnswer);
      arrivals.add(new Arrival(sequence(i, prompt, mayAnswer, now, random), answer, leaves));
    }
    return new Workload(limits(arrivals, random), arrivals);
  }

  private static Sequence sequence(
      int id, int prompt, int answer, long now, SplittableRandom random) {
    return new Sequence(
        id,
        id / 2, // two sequences of one request
        prompt(prompt, random),
        answer,
        random.nextInt(-1, 2),
        "tenant " + random.nextInt(3),
        now,
        random.nextBoolean() ? Long.MAX_VALUE : now + random.nextLong(500) * MILLISECOND);
  }

  /** One of few beginnings, so that sequences share blocks, then tokens of its own. */
  private static int[] prompt(int length, SplittableRandom random) {
    int[] prompt = new int[length];
    int own = random.nextInt(length + 1);
    Arrays.fill(prompt, 0, length - own, random.nextInt(3));
    for (int i = length - own; i < length; i++) {
      prompt[i] = random.nextInt(100);
    }
    return prompt;
  }

  /** From a pool that just holds the longest sequence to one that holds them all. */
  private static Limits limits(List<Arrival> arrivals, SplittableRandom random) {
    int blockSize = random.nextInt(1, 17);
    var needs =
        arrivals.stream()
            .map(arrival -> Math.ceilDiv(arrival.sequence().maxTotal(), blockSize))
            .sorted(Comparator.reverseOrder())
            .toList();
    int all = needs.stream().mapToInt(Integer::intValue).sum();
    int least = needs.getFirst();
    int blocks =
        switch (random.nextInt(3)) {
          case 0 -> least;
          case 1 -> random.nextInt(least, all + 1);
          default -> all;
        };
    return new Limits(random.nextInt(1, 65), random.nextInt(1, 9), blockSize, blocks);
  }
}
