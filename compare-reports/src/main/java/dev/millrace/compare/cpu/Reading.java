package dev.millrace.compare.cpu;

import dev.millrace.compare.Spread;
import java.util.List;

/** What one program reached, a value a turn. */
record Reading(String who, List<Double> values) {
  Reading {
    values = List.copyOf(values);
  }

  Spread spread() {
    return Spread.of(values);
  }
}
