package dev.millrace.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** One axis of a chart: what it spans, whether its steps are factors, and its labelled ticks. */
record Axis(String label, double least, double greatest, boolean log, List<Tick> ticks) {
  /** A labelled place on an axis. */
  record Tick(double value, String label) {}

  private static final double[] STEPS = {1, 2, 5, 10};
  private static final int MOST_TICKS = 6;

  /** From zero to a round number at or above the greatest value. */
  static Axis fromZero(String label, double greatest) {
    double top = greatest > 0 ? greatest : 1;
    double power = Math.pow(10, Math.floor(Math.log10(top / MOST_TICKS)));
    double step = power;
    for (double factor : STEPS) {
      step = factor * power;
      if (top / step <= MOST_TICKS) {
        break;
      }
    }
    var ticks = new ArrayList<Tick>();
    int count = (int) Math.ceil(top / step - 1e-9);
    for (int i = 0; i <= count; i++) {
      ticks.add(new Tick(i * step, number(i * step)));
    }
    return new Axis(label, 0, count * step, false, ticks);
  }

  /** Factors of ten, with 2 and 5 between them if there is room; both ends above zero. */
  static Axis factors(String label, double least, double greatest) {
    double low = Math.pow(10, Math.floor(Math.log10(least) + 1e-9));
    double high = Math.pow(10, Math.ceil(Math.log10(greatest) - 1e-9));
    if (high <= low) {
      high = low * 10;
    }
    boolean between = high / low < 1_001;
    var ticks = new ArrayList<Tick>();
    for (double decade = low; decade <= high * 1.001; decade *= 10) {
      for (double factor : between ? new double[] {1, 2, 5} : new double[] {1}) {
        double value = decade * factor;
        if (value <= high * 1.001) {
          ticks.add(new Tick(value, number(value)));
        }
      }
    }
    return new Axis(label, low, high, true, ticks);
  }

  /** Given ticks; the axis spans them. */
  static Axis of(String label, boolean log, List<Tick> ticks) {
    return new Axis(label, ticks.getFirst().value(), ticks.getLast().value(), log, ticks);
  }

  /** Where a value lies, 0 to 1; values outside are drawn at the edge. */
  double place(double value) {
    double inside = Math.clamp(value, least, greatest);
    return log
        ? Math.log(inside / least) / Math.log(greatest / least)
        : (inside - least) / (greatest - least);
  }

  private static String number(double value) {
    if (value >= 10_000) {
      return String.format(Locale.ROOT, "%,.0f", value);
    }
    String text = String.format(Locale.ROOT, "%.4f", value);
    return text.replaceFirst("\\.?0+$", "");
  }
}
