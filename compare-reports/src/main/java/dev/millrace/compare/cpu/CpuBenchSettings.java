package dev.millrace.compare.cpu;

import java.nio.file.Path;
import java.util.List;

/**
 * What to measure and how.
 *
 * @param launcher starts our own programs
 * @param turns of each program in a row
 * @param threads that each program computes with
 * @param also further options of our bench and server, for a second column in some rows; or none
 * @param pauseSeconds how long the row on pauses of the garbage collector takes
 * @param out folder of the report
 * @param scratch a folder that the peers see as well
 * @param typed the command line as it was given
 */
record CpuBenchSettings(
    Path launcher,
    Models models,
    Peers peers,
    List<RowName> rows,
    int turns,
    int threads,
    List<String> also,
    int pauseSeconds,
    Path out,
    Path scratch,
    List<String> typed) {
  CpuBenchSettings {
    rows = List.copyOf(rows);
    also = List.copyOf(also);
    typed = List.copyOf(typed);
    if (rows.isEmpty() || turns < 1 || threads < 1 || pauseSeconds < 1) {
      throw new IllegalArgumentException(
          "--rows needs a name, and --turns, --threads and --pause-seconds at least 1");
    }
  }

  /** What our program is called in columns with {@link #also}. */
  String alsoName() {
    return "Millrace " + String.join(" ", also);
  }
}
