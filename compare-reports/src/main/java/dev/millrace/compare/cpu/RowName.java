package dev.millrace.compare.cpu;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What can be measured, in the order in which it is. */
enum RowName {
  DECODE_Q4,
  DECODE_BF16,
  BATCH_Q4,
  PREFILL_BF16,
  PREFILL_QUANTIZED,
  QUALITY,
  HTTP_FIXED,
  HTTP_CHAT,
  DEMO_HTTP,
  DEMO_START,
  LOAD,
  PAUSES;

  /** All but those that take minutes by themselves. */
  static List<RowName> usual() {
    return Arrays.stream(values()).filter(name -> name != PAUSES).toList();
  }

  /** As it is written on a command line. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
