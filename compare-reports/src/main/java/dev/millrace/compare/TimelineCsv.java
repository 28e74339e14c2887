package dev.millrace.compare;

import java.util.Locale;

/** The looks at server and client as a table, with the run that each falls into. */
final class TimelineCsv {
  private TimelineCsv() {}

  static String text(Contest contest) {
    var text = new StringBuilder();
    text.append(
        "seconds,run,running,waiting,tokens,kv_used,kv_reserved,server_cpu_s,client_cpu_s,"
            + "server_gc_s,client_gc_s,resident_mib\n");
    for (var sample : contest.samples()) {
      text.append(
          String.format(
              Locale.ROOT,
              "%.2f,%s,%.0f,%.0f,%.0f,%.0f,%.0f,%.2f,%.2f,%.3f,%.3f,%.1f%n",
              (sample.nanos() - contest.startNanos()) / 1e9,
              run(contest, sample.nanos()),
              sample.running(),
              sample.waiting(),
              sample.tokens(),
              sample.blocksUsed(),
              sample.blocksReserved(),
              sample.serverCpu(),
              sample.clientCpu(),
              sample.serverCollector(),
              sample.clientCollector(),
              sample.residentBytes() / 1048576));
    }
    return text.toString();
  }

  private static String run(Contest contest, long nanos) {
    return contest.columns().stream()
        .flatMap(column -> column.runs().stream())
        .filter(run -> run.covers(nanos))
        .map(run -> run.result().name())
        .findFirst()
        .orElse("");
  }
}
