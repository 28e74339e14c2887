package dev.millrace.compare;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/**
 * What a column's throughput and latency runs cost server and client. Numbers are not finite where
 * there was nothing to look at, as with peers.
 *
 * @param mostBlocksUsed KV blocks in use at most
 * @param mostBlocksReserved KV blocks reserved at most
 * @param serverCores processors that the server kept busy, on average
 * @param clientCores processors that the load generator kept busy, on average
 * @param serverCollector share of the time that the server's garbage collectors took
 */
record ServerLoad(
    double mostBlocksUsed,
    double mostBlocksReserved,
    double serverCores,
    double clientCores,
    double serverCollector) {
  static ServerLoad of(Column column, Contest contest) {
    var used = new ArrayList<Double>();
    var reserved = new ArrayList<Double>();
    double seconds = 0;
    double server = 0;
    double client = 0;
    double collector = 0;
    for (var run : column.runs()) {
      var within =
          run.kind() == Run.Kind.USERS
              ? List.<Sample>of()
              : contest.samples().stream().filter(sample -> run.covers(sample.nanos())).toList();
      if (within.size() > 1) {
        seconds += difference(within, sample -> sample.nanos() / 1e9);
        server += difference(within, Sample::serverCpu);
        client += difference(within, Sample::clientCpu);
        collector += difference(within, Sample::serverCollector);
      }
      within.forEach(sample -> used.add(sample.blocksUsed()));
      within.forEach(sample -> reserved.add(sample.blocksReserved()));
    }
    boolean own = column.contender() instanceof Contender.Scheduler;
    return new ServerLoad(
        own ? Spread.of(used).greatest() : Double.NaN,
        own ? Spread.of(reserved).greatest() : Double.NaN,
        own ? server / seconds : Double.NaN,
        client / seconds,
        own ? collector / seconds : Double.NaN);
  }

  /** The rows of the table of details. */
  static List<List<String>> rows(Contest contest) {
    var loads = contest.columns().stream().map(column -> of(column, contest)).toList();
    var rows = new ArrayList<List<String>>();
    String pool = Figures.format(contest.totalBlocks(), 0);
    rows.add(
        row("KV blocks reserved at most, of " + pool, loads, ServerLoad::mostBlocksReserved, 0));
    rows.add(row("KV blocks used at most, of " + pool, loads, ServerLoad::mostBlocksUsed, 0));
    rows.add(row("server CPU (cores)", loads, ServerLoad::serverCores, 2));
    rows.add(row("client CPU (cores)", loads, ServerLoad::clientCores, 2));
    rows.add(row("server GC (% of time)", loads, load -> 100 * load.serverCollector(), 2));
    rows.add(counts("errors", contest, Column::errors));
    rows.add(counts("wrong answers", contest, Column::wrongAnswers));
    rows.add(counts("invalid runs", contest, column -> column.invalid().size()));
    return rows;
  }

  private static List<String> row(
      String label, List<ServerLoad> loads, ToDoubleFunction<ServerLoad> value, int decimals) {
    var row = new ArrayList<String>();
    row.add(label);
    loads.forEach(load -> row.add(Figures.format(value.applyAsDouble(load), decimals)));
    return row;
  }

  private static List<String> counts(String label, Contest contest, ToLongFunction<Column> count) {
    var row = new ArrayList<String>();
    row.add(label);
    contest.columns().forEach(column -> row.add(Long.toString(count.applyAsLong(column))));
    return row;
  }

  private static double difference(List<Sample> samples, ToDoubleFunction<Sample> value) {
    return value.applyAsDouble(samples.getLast()) - value.applyAsDouble(samples.getFirst());
  }
}
