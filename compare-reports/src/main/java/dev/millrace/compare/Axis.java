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

  /** Factors, from a round number to another; both ends above zero. */
  static Axis factors(String label, double least, double greatest) {
    var round = new ArrayList<Tick>();
    double lowest = Math.pow(10, Math.floor(Math.log10(least) + 1e-9));
    for (double decade = lowest; round.isEmpty() || !ends(round, greatest); decade *= 10) {
      for (double factor : new double[] {1, 2, 5}) {
        boolean starts = factor == 5 || nextStep(factor) * decade > least * 1.000_001;
        if ((starts || !round.isEmpty()) && !ends(round, greatest)) {
          round.add(new Tick(factor * decade, number(factor * decade)));
        }
      }
    }
    var ticks = round.size() <= MOST_TICKS + 3 ? round : decades(round);
    return new Axis(label, round.getFirst().value(), round.getLast().value(), true, ticks);
  }

  private static double nextStep(double factor) {
    return factor == 1 ? 2 : 5;
  }

  private static boolean ends(List<Tick> ticks, double greatest) {
    return ticks.size() > 1 && ticks.getLast().value() >= greatest * 0.999_999;
  }

  private static List<Tick> decades(List<Tick> ticks) {
    return ticks.stream().filter(tick -> isWhole(Math.log10(tick.value()))).toList();
  }

  private static boolean isWhole(double value) {
    return Math.abs(value - Math.rint(value)) < 1e-6;
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
