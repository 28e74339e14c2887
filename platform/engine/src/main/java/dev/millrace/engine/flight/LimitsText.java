package dev.millrace.engine.flight;

import dev.millrace.spi.schedule.Limits;

/** Limits as text. */
final class LimitsText {
  private LimitsText() {}

  static String write(Limits limits) {
    return "%d,%d,%d,%d"
        .formatted(
            limits.tokensPerStep(), limits.sequences(), limits.blockSize(), limits.totalBlocks());
  }

  static Limits read(String text) {
    var fields = text.split(",", -1);
    return new Limits(
        Integer.parseInt(fields[0]),
        Integer.parseInt(fields[1]),
        Integer.parseInt(fields[2]),
        Integer.parseInt(fields[3]));
  }
}
