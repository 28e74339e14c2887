package dev.millrace.compare;

import java.util.List;

/**
 * A figure over repetitions: its median, least and greatest value; not a number if there is none.
 */
public record Spread(double median, double least, double greatest) {
  /** That of no values. */
  public static final Spread NONE = new Spread(Double.NaN, Double.NaN, Double.NaN);

  /** Of finite values; the others are left out. */
  public static Spread of(List<Double> values) {
    var sorted = values.stream().filter(Double::isFinite).sorted().toList();
    int count = sorted.size();
    if (count == 0) {
      return NONE;
    }
    double median = (sorted.get((count - 1) / 2) + sorted.get(count / 2)) / 2;
    return new Spread(median, sorted.getFirst(), sorted.getLast());
  }

  static Spread of(double value) {
    return new Spread(value, value, value);
  }
}
