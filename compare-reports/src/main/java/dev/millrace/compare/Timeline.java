package dev.millrace.compare;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Looks at server and client four times a second, from a thread of its own, so that both stand on
 * one time axis with the runs. A look that fails is left out.
 */
final class Timeline implements AutoCloseable {
  private static final long PERIOD_MILLIS = 250;

  private final AdminApi api;
  private final ServerProcess server;
  private final List<Sample> samples = new ArrayList<>(); // guarded by itself
  private final Thread thread;
  private volatile boolean ended;

  private Timeline(AdminApi api, ServerProcess server) {
    this.api = api;
    this.server = server;
    this.thread = Thread.ofPlatform().name("timeline").daemon().unstarted(this::watch);
  }

  static Timeline start(AdminApi api, ServerProcess server) {
    var timeline = new Timeline(api, server);
    timeline.thread.start();
    return timeline;
  }

  /** All samples so far, in order of time. */
  List<Sample> samples() {
    synchronized (samples) {
      return List.copyOf(samples);
    }
  }

  private void watch() {
    while (!ended) {
      try {
        var sample = look();
        synchronized (samples) {
          samples.add(sample);
        }
        Thread.sleep(PERIOD_MILLIS);
      } catch (CompareException _) {
        if (!server.isAlive()) {
          return; // the run in progress reports it
        }
      } catch (InterruptedException _) {
        return;
      }
    }
  }

  private Sample look() {
    var metrics = parse(api.metrics());
    double collector = api.collectorSeconds();
    return new Sample(
        System.nanoTime(),
        metrics.getOrDefault("vllm:num_requests_running", Double.NaN),
        metrics.getOrDefault("vllm:num_requests_waiting", Double.NaN),
        metrics.getOrDefault("vllm:generation_tokens_total", Double.NaN),
        metrics.getOrDefault("millrace:kv_blocks_used", Double.NaN),
        metrics.getOrDefault("millrace:kv_blocks_reserved", Double.NaN),
        server.processorSeconds(),
        clientCpu(),
        collector,
        clientCollector(),
        server.residentBytes().orElse(0));
  }

  /** The sum over the label sets of each metric in Prometheus's text format. */
  static Map<String, Double> parse(String text) {
    var values = new HashMap<String, Double>();
    for (String line : text.lines().toList()) {
      int space = line.lastIndexOf(' ');
      if (!line.startsWith("#") && space > 0) {
        String name = line.substring(0, space).replaceFirst("\\{.*", "");
        try {
          values.merge(name, Double.parseDouble(line.substring(space + 1)), Double::sum);
        } catch (NumberFormatException _) {
          // not a sample line
        }
      }
    }
    return values;
  }

  private static double clientCpu() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getProcessCpuTime() / 1e9
        : Double.NaN;
  }

  private static double clientCollector() {
    return ManagementFactory.getGarbageCollectorMXBeans().stream()
            .mapToLong(GarbageCollectorMXBean::getCollectionTime)
            .sum()
        / 1e3;
  }

  @Override
  public void close() {
    ended = true;
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
