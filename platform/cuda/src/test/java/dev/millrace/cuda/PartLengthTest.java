package dev.millrace.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PartLengthTest {
  /** Two blocks on each multiprocessor of an H200. */
  private static final int BLOCKS = 264;

  private static final int NO_LIMIT = Integer.MAX_VALUE;

  /** Contexts of 1,060 tokens of Llama-3.1-8B: parts of few rows, whole contexts of many. */
  @ParameterizedTest
  @CsvSource({"1, 2", "8, 6", "32, 17", "128, 17", "256, 17"})
  void keepsTheCardBusy(int rows, int expected) {
    assertEquals(expected, of(new PartLength(BLOCKS, 8), rows, 17, NO_LIMIT));
  }

  /** Few long contexts among many short ones are cut, so that nobody waits for them. */
  @Test
  void cutsLongContextsAmongShortOnes() {
    int[] tiles = new int[256];
    Arrays.fill(tiles, 5);
    tiles[100] = 300;
    int length = new PartLength(BLOCKS, 8).of(tiles, tiles.length, NO_LIMIT);
    assertTrue(length >= 5 && length < 100, length + " tiles");
  }

  /** As many blocks as memory can keep up with, in one round. */
  @Test
  void cutsALongContextForManyBlocks() {
    int length = of(new PartLength(BLOCKS, 8), 1, 2000, NO_LIMIT);
    int items = 8 * Math.ceilDiv(2000, length);
    assertTrue(items <= BLOCKS && items >= BLOCKS / 2, length + ", so " + items + " items");
  }

  @Test
  void aShortContextIsOnePart() {
    assertEquals(1, of(new PartLength(BLOCKS, 8), 3, 1, NO_LIMIT));
  }

  /** As many parts as there is room for, whatever would be faster. */
  @Test
  void makesNoMorePartsThanItMay() {
    var random = new SplittableRandom(1);
    var parts = new PartLength(BLOCKS, 1);
    for (int i = 0; i < 200; i++) {
      int rows = random.nextInt(1, 300);
      int[] tiles = random.ints(rows, 1, 3000).toArray();
      int most = 2 * rows;
      int length = parts.of(tiles, rows, most);
      int count = Arrays.stream(tiles).map(n -> Math.ceilDiv(n, length)).sum();
      assertTrue(length >= 1 && count <= most, count + " parts of " + length);
    }
  }

  private static int of(PartLength parts, int rows, int tiles, int most) {
    int[] all = new int[rows];
    Arrays.fill(all, tiles);
    return parts.of(all, rows, most);
  }
}
