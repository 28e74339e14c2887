package dev.millrace.cuda;

/**
 * How long the parts are that decode attention cuts contexts into, in tiles of 64 positions: long
 * ones cost less, short ones keep the card busy and even.
 *
 * <p>Blocks take the parts of all KV heads in rounds. Measured on an H200 with heads of 128 numbers
 * (contexts of 1,024, parts of 128 to 512 positions), a round of parts takes as long as their tiles
 * and {@link #MORE} tiles more: 2 µs each where all blocks run, {@link #ALONE} of that where few
 * do, which memory then keeps waiting no more. Parts of a row are put together at the end.
 *
 * @param blocks that run at a time
 * @param kvHeads of a layer
 */
record PartLength(int blocks, int kvHeads) {
  /** What a part costs beside its tiles, in tiles. */
  private static final double MORE = 0.9;

  /** What a tile costs at least, of what it does where all blocks run. */
  private static final double ALONE = 0.6;

  /** What it costs to put parts together, in tiles. */
  private static final double MERGE = 0.5;

  /** What each of the longest row's parts adds to that. */
  private static final double MERGED = 0.12;

  /** Looks at contexts that are worth it: a few microseconds of the host. */
  private static final int MOST_LOOKS = 2048;

  private static final int MOST_PARTS = 64;

  /**
   * Of a step.
   *
   * @param tiles that the context of each row has, for the first {@code rows} of them
   * @param most parts that all rows may have together, at least one each
   */
  int of(int[] tiles, int rows, int most) {
    int longest = 1;
    long all = 0;
    for (int row = 0; row < rows; row++) {
      longest = Math.max(longest, tiles[row]);
      all += tiles[row];
    }
    int best = longest;
    double least = Double.MAX_VALUE;
    int last = 0;
    int looks = Math.clamp(MOST_LOOKS / Math.max(1, rows), 1, MOST_PARTS);
    for (int parts = 1; parts <= looks && last != 1; parts++) {
      int length = Math.ceilDiv(longest, parts);
      if (length == last) {
        continue;
      }
      last = length;
      long count = count(tiles, rows, length);
      double cost = cost(count, length, (double) all / count, Math.ceilDiv(longest, length));
      if (count <= most && cost < least) {
        least = cost;
        best = length;
      }
    }
    return best;
  }

  private static long count(int[] tiles, int rows, int length) {
    long count = 0;
    for (int row = 0; row < rows; row++) {
      count += Math.ceilDiv(tiles[row], length);
    }
    return count;
  }

  /** {@code mean} is how long parts are, which are {@code length} at most. */
  private double cost(long count, int length, double mean, int mostParts) {
    long items = count * kvHeads;
    long whole = items / blocks;
    long rest = items % blocks;
    double last = rest == 0 ? 0 : Math.max(ALONE, (double) rest / blocks);
    double longer = (length - mean) / 2; // one that is longer than others may begin late
    double merged = mostParts > 1 ? MERGE + MERGED * mostParts : 0;
    return (whole + last) * (mean + MORE) + longer + merged;
  }
}
