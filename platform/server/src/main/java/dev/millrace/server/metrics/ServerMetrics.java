package dev.millrace.server.metrics;

import dev.millrace.engine.EngineListener;
import dev.millrace.engine.EngineStats;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.core.metrics.Histogram;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * The engine's figures under vLLM's names, so that dashboards made for vLLM work; what vLLM does
 * not have is called {@code millrace:}. Each has the label {@code model_name}.
 */
public final class ServerMetrics {
  private static final String MODEL = "model_name";

  private final PrometheusRegistry registry = new PrometheusRegistry();
  private final Supplier<String> model;
  private final Supplier<Optional<EngineStats>> stats;
  final Counter promptTokens = counter("vllm:prompt_tokens_total", "Prompt tokens computed.");
  final Counter generationTokens = counter("vllm:generation_tokens_total", "Tokens sampled.");
  final Counter preemptions =
      counter("vllm:num_preemptions_total", "Sequences that lost their blocks.");
  final Counter success =
      Counter.builder()
          .name("vllm:request_success_total")
          .help("Requests that ended, by reason.")
          .labelNames(MODEL, "finished_reason")
          .register(registry);
  final Counter cacheQueries =
      counter("vllm:prefix_cache_queries_total", "Prompt tokens looked up in the prefix cache.");
  final Counter cacheHits = counter("vllm:prefix_cache_hits_total", "Prompt tokens found there.");
  final Histogram requestPrompt =
      histogram(
          "vllm:request_prompt_tokens", "Prompt tokens of answered requests.", Buckets.TOKENS);
  final Histogram requestAnswer =
      histogram("vllm:request_generation_tokens", "Tokens of complete answers.", Buckets.TOKENS);
  final Histogram firstToken =
      histogram(
          "vllm:time_to_first_token_seconds",
          "From submission to the first token.",
          Buckets.FIRST_TOKEN);
  final Histogram nextToken =
      histogram(
          "vllm:inter_token_latency_seconds", "From one token to the next.", Buckets.NEXT_TOKEN);
  final Histogram request =
      histogram("vllm:e2e_request_latency_seconds", "From submission to the end.", Buckets.REQUEST);
  final Histogram queue =
      histogram("vllm:request_queue_time_seconds", "Wait before the first step.", Buckets.REQUEST);
  final Histogram stepTokens =
      histogram("vllm:iteration_tokens_total", "Tokens of a step.", Buckets.TOKENS);

  /**
   * @param model name of the model in service
   * @param stats its engine's state, read at each scrape; empty while there is no engine
   */
  public ServerMetrics(Supplier<String> model, Supplier<Optional<EngineStats>> stats) {
    this.model = model;
    this.stats = stats;
    gauge("vllm:num_requests_running", "Sequences that hold blocks.", EngineStats::running);
    gauge("vllm:num_requests_waiting", "Sequences that hold none.", EngineStats::waiting);
    gauge(
        "vllm:kv_cache_usage_perc",
        "Share of the KV blocks in use; 1: all.",
        s -> s.totalBlocks() == 0 ? 0 : 1 - (double) s.freeBlocks() / s.totalBlocks());
    gauge("millrace:kv_blocks", "KV blocks of the pool.", EngineStats::totalBlocks);
    gauge(
        "millrace:kv_blocks_used",
        "KV blocks in use.",
        s -> (double) s.totalBlocks() - s.freeBlocks());
    gauge(
        "millrace:kv_blocks_reserved",
        "KV blocks that the running sequences would hold at their longest.",
        EngineStats::reservedBlocks);
    CounterWithCallback.builder()
        .name("millrace:refused_plans_total")
        .help("Plans that broke a rule and were replaced.")
        .labelNames(MODEL)
        .callback(
            point -> point.call(stats.get().map(EngineStats::refusedPlans).orElse(0L), model.get()))
        .register(registry);
  }

  /** What a scrape reads. */
  public PrometheusRegistry registry() {
    return registry;
  }

  /** What counts the events of one model, from 0 on if it is new. */
  public EngineListener of(String modelName) {
    return new ModelMetrics(this, modelName);
  }

  private Counter counter(String name, String help) {
    return Counter.builder().name(name).help(help).labelNames(MODEL).register(registry);
  }

  private Histogram histogram(String name, String help, double[] bounds) {
    return Histogram.builder()
        .name(name)
        .help(help)
        .labelNames(MODEL)
        .classicOnly()
        .classicUpperBounds(bounds)
        .register(registry);
  }

  private void gauge(String name, String help, ToDoubleFunction<EngineStats> value) {
    GaugeWithCallback.builder()
        .name(name)
        .help(help)
        .labelNames(MODEL)
        .callback(point ->
            point.call(stats.get().stream().mapToDouble(value).findFirst().orElse(0), model.get()))
        .register(registry);
  }
}
