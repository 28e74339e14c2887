package dev.millrace.quantizers;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Which columns of a matrix share a scale.
 *
 * @param cols columns
 * @param size columns of a group
 * @param index the group of each column where they are given one by one; empty where they follow
 *     one another
 */
record ColumnGroups(int cols, int size, int[] index) {
  /** Of a device format's groups, the first that fits is taken. */
  private static final int[] SIZES = {128, 64, 32, 16};

  static ColumnGroups inOrder(int cols, int size) {
    return new ColumnGroups(cols, Math.min(size, cols), new int[0]);
  }

  /**
   * Groups given for each column.
   *
   * @param tensor what gives them, for an error
   */
  static ColumnGroups indexed(String tensor, int[] index, int size) {
    var groups = inOrder(index.length, size);
    for (int i = 0; i < index.length; i++) {
      if (index[i] < 0 || index[i] >= groups.count()) {
        throw new InferenceException(
            ErrorCode.INVALID_CHECKPOINT,
            "%s puts column %d into group %d; there are %d"
                .formatted(tensor, i, index[i], groups.count()));
      }
    }
    boolean natural = IntStream.range(0, index.length).allMatch(i -> index[i] == i / groups.size);
    return natural ? groups : new ColumnGroups(groups.cols, groups.size, index);
  }

  int count() {
    return Math.ceilDiv(cols, size);
  }

  boolean natural() {
    return index.length == 0;
  }

  int of(int column) {
    return natural() ? column / size : index[column];
  }

  /** The columns of one group after those of another; empty where they are so already. */
  int[] order() {
    if (natural()) {
      return index;
    }
    int[] next = new int[count() + 1];
    for (int group : index) {
      next[group + 1]++;
    }
    Arrays.parallelPrefix(next, Integer::sum);
    int[] order = new int[cols];
    for (int i = 0; i < cols; i++) {
      order[next[index[i]]++] = i;
    }
    return order;
  }

  /**
   * The group of a device format that has a scale for each of its groups and splits none of these:
   * 16 to 128, or 0 where there is none. Columns are taken in {@link #order}.
   */
  int device() {
    int[] order = order();
    for (int i = 0; i < order.length; i++) {
      if (index[order[i]] != i / size) {
        return 0; // groups of unlike sizes
      }
    }
    return size == cols
        ? SIZES[0]
        : Arrays.stream(SIZES).filter(group -> size % group == 0).findFirst().orElse(0);
  }
}
