package dev.millrace.server.metrics;

import dev.millrace.engine.EngineListener;
import dev.millrace.engine.FinishReason;
import dev.millrace.engine.Usage;
import dev.millrace.spi.ErrorCode;
import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import java.time.Duration;

/** Counts the events of one model under its label. */
final class ModelMetrics implements EngineListener {
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

  ModelMetrics(ServerMetrics all, String model) {
    promptTokens = all.promptTokens.labelValues(model);
    generationTokens = all.generationTokens.labelValues(model);
    preemptions = all.preemptions.labelValues(model);
    stopped = all.success.labelValues(model, "stop");
    tooLong = all.success.labelValues(model, "length");
    aborted = all.success.labelValues(model, "abort");
    errors = all.success.labelValues(model, "error");
    timeouts = all.success.labelValues(model, "timeout");
    cacheQueries = all.cacheQueries.labelValues(model);
    cacheHits = all.cacheHits.labelValues(model);
    requestPrompt = all.requestPrompt.labelValues(model);
    requestAnswer = all.requestAnswer.labelValues(model);
    firstToken = all.firstToken.labelValues(model);
    nextToken = all.nextToken.labelValues(model);
    request = all.request.labelValues(model);
    queue = all.queue.labelValues(model);
    stepTokens = all.stepTokens.labelValues(model);
  }

  @Override
  public void stepped(int prompt, int sampled) {
    promptTokens.inc(prompt);
    generationTokens.inc(sampled);
    stepTokens.observe(prompt + sampled);
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
  public void prefixLookup(int prompt, int cached) {
    cacheQueries.inc(prompt);
    cacheHits.inc(cached);
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

  private static double seconds(Duration duration) {
    return duration.toNanos() / 1e9;
  }
}
