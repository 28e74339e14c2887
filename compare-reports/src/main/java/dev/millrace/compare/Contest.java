package dev.millrace.compare;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.loadtest.CompletionCall;
import java.util.ArrayList;
import java.util.List;

/**
 * A comparison that has been made.
 *
 * @param server what the server says of its model, device and settings, by itself
 * @param calls of each throughput and latency run
 * @param openRate arrivals per second of the latency runs
 * @param alone how many answers of the server to single requests were known
 * @param compared answers that were compared
 * @param totalBlocks KV blocks of the server's pool
 * @param samples of the server and the client, over the whole time
 */
record Contest(
    JsonNode server,
    List<CompletionCall> calls,
    double openRate,
    int alone,
    long compared,
    double totalBlocks,
    List<Column> columns,
    List<Sample> samples) {
  Contest {
    calls = List.copyOf(calls);
    columns = List.copyOf(columns);
    samples = List.copyOf(samples);
  }

  Column baseline() {
    return columns.getFirst();
  }

  /** Time zero of the report. */
  long startNanos() {
    return samples.isEmpty()
        ? columns.getFirst().runs().getFirst().result().firstNanos()
        : samples.getFirst().nanos();
  }

  /** The names of the server's model. */
  String names() {
    var names = new ArrayList<String>();
    server.path("names").forEach(name -> names.add(name.asText()));
    return String.join(", ", names);
  }

  /** The device and the kernels it says it uses. */
  String device() {
    return server.path("device").asText("unknown");
  }
}
