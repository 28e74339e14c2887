package dev.millrace.server.metrics;

import dev.millrace.engine.EngineListener;
import dev.millrace.engine.EngineStats;
import dev.millrace.engine.FinishReason;
import dev.millrace.engine.Usage;
import dev.millrace.spi.ErrorCode;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * The engine's figures under vLLM's names, so that dashboards made for vLLM work; what vLLM does
 * not have is called {@code millrace:}. Each has the label {@code model_name}.
 */
public final class ServerMetrics implements EngineListener {
  private static final String MODEL = "model_name";

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final String model;
  private final CounterDataPoint promptTokens;
  private final CounterDataPoint generationTokens;
  private final CounterDataPoint preemptions;
  private final CounterDataPoint stopped;
  private final CounterDataPoint tooLong;
  private final CounterDataPoint aborted;
  private final CounterDataPoint errors;
  private final CounterDataPoint timeouts;
  private final CounterDataPoint cacheQueries;
  private final CounterDataPoint cacheHits;
  private final DistributionDataPoint requestPrompt;
  private final DistributionDataPoint requestAnswer;
  private final DistributionDataPoint firstToken;
  private final DistributionDataPoint nextToken;
  private final DistributionDataPoint request;
  private final DistributionDataPoint queue;
  private final DistributionDataPoint stepTokens;

  /**
   * @param model the value of the label
   * @param stats the engine's state, read at each scrape; empty while there is no engine
   */
  public ServerMetrics(String model, Supplier<Optional<EngineStats>> stats) {
    this.model = model;
    promptTokens = counter("vllm:prompt_tokens_total", "Prompt tokens computed.");
    generationTokens = counter("vllm:generation_tokens_total", "Tokens sampled.");
    preemptions = counter("vllm:num_preemptions_total", "Sequences that lost their blocks.");
    var success =
        Counter.builder()
            .name("vllm:request_success_total")
            .help("Requests that ended, by reason.")
            .labelNames(MODEL, "finished_reason")
            .register(registry);
    stopped = success.labelValues(model, "stop");
    tooLong = success.labelValues(model, "length");
    aborted = success.labelValues(model, "abort");
    errors = success.labelValues(model, "error");
    timeouts = success.labelValues(model, "timeout");
    cacheQueries =
        counter("vllm:prefix_cache_queries_total", "Prompt tokens looked up in the prefix cache.");
    cacheHits = counter("vllm:prefix_cache_hits_total", "Prompt tokens found there.");
    requestPrompt =
        histogram(
            "vllm:request_prompt_tokens", "Prompt tokens of answered requests.", Buckets.TOKENS);
    requestAnswer =
        histogram("vllm:request_generation_tokens", "Tokens of complete answers.", Buckets.TOKENS);
    firstToken =
        histogram(
            "vllm:time_to_first_token_seconds",
            "From submission to the first token.",
            Buckets.FIRST_TOKEN);
    nextToken =
        histogram(
            "vllm:inter_token_latency_seconds", "From one token to the next.", Buckets.NEXT_TOKEN);
    request =
        histogram(
            "vllm:e2e_request_latency_seconds", "From submission to the end.", Buckets.REQUEST);
    queue =
        histogram(
            "vllm:request_queue_time_seconds", "Wait before the first step.", Buckets.REQUEST);
    stepTokens = histogram("vllm:iteration_tokens_total", "Tokens of a step.", Buckets.TOKENS);
    gauge("vllm:num_requests_running", "Sequences that hold blocks.", stats, EngineStats::running);
    gauge("vllm:num_requests_waiting", "Sequences that hold none.", stats, EngineStats::waiting);
    gauge(
        "vllm:kv_cache_usage_perc",
        "Share of the KV blocks in use; 1: all.",
        stats,
        s -> s.totalBlocks() == 0 ? 0 : 1 - (double) s.freeBlocks() / s.totalBlocks());
    CounterWithCallback.builder()
        .name("millrace:refused_plans_total")
        .help("Plans that broke a rule and were replaced.")
        .labelNames(MODEL)
        .callback(point -> point.call(stats.get().map(EngineStats::refusedPlans).orElse(0L), model))
        .register(registry);
  }

  /** What a scrape reads. */
  public PrometheusRegistry registry() {
    return registry;
  }

  @Override
  public void stepped(int promptTokens, int sampledTokens) {
    this.promptTokens.inc(promptTokens);
    generationTokens.inc(sampledTokens);
    stepTokens.observe(promptTokens + sampledTokens);
  }

  @Override
  public void admitted(Duration queued) {
    queue.observe(seconds(queued));
  }

  @Override
  public void firstToken(Duration sinceSubmit) {
    firstToken.observe(seconds(sinceSubmit));
  }

  @Override
  public void nextToken(Duration sinceLast) {
    nextToken.observe(seconds(sinceLast));
  }

  @Override
  public void preempted() {
    preemptions.inc();
  }

  @Override
  public void finished(FinishReason reason, Usage usage, Duration sinceSubmit) {
    switch (reason) {
      case STOP -> stopped.inc();
      case LENGTH -> tooLong.inc();
    }
    request.observe(seconds(sinceSubmit));
    requestPrompt.observe(usage.promptTokens());
    requestAnswer.observe(usage.completionTokens());
  }

  @Override
  public void prefixLookup(int promptTokens, int cachedTokens) {
    cacheQueries.inc(promptTokens);
    cacheHits.inc(cachedTokens);
  }

  @Override
  public void failed(ErrorCode code) {
    if (code == ErrorCode.CANCELLED) {
      aborted.inc();
    } else if (code == ErrorCode.TIMED_OUT || code == ErrorCode.QUEUE_TIMEOUT) {
      timeouts.inc();
    } else {
      errors.inc();
    }
  }

  private CounterDataPoint counter(String name, String help) {
    return Counter.builder()
        .name(name)
        .help(help)
        .labelNames(MODEL)
        .register(registry)
        .labelValues(model);
  }

  private DistributionDataPoint histogram(String name, String help, double[] bounds) {
    return Histogram.builder()
        .name(name)
        .help(help)
        .labelNames(MODEL)
        .classicOnly()
        .classicUpperBounds(bounds)
        .register(registry)
        .labelValues(model);
  }

  private void gauge(
      String name,
      String help,
      Supplier<Optional<EngineStats>> stats,
      ToDoubleFunction<EngineStats> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames(MODEL)
        .callback(point ->
            point.call(stats.get().stream().mapToDouble(value).findFirst().orElse(0), model))
        .register(registry);
  }

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }
}
