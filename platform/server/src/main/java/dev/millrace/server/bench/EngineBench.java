package dev.millrace.server.bench;

import dev.millrace.engine.Engine;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.sample.SamplingParams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;

/** Runs requests of given lengths side by side through an engine and times them. */
public final class EngineBench {
  private static final int ROUNDS = 3;

  private final Engine engine;
  private final int vocabulary;
  private final SplittableRandom random = new SplittableRandom(1);

  public EngineBench(Engine engine, int vocabulary) {
    this.engine = engine;
    this.vocabulary = vocabulary;
  }

  /** Prompt tokens per second of one request at a time; the median of several. */
  public double prefill(int promptTokens) throws InterruptedException {
    double[] rates = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      long start = System.nanoTime();
      finish(submit(promptTokens, 1));
      rates[i] = promptTokens * 1e9 / (System.nanoTime() - start);
    }
    return median(rates);
  }

  /** Tokens per second, all together, after every request has its first; the median of several. */
  public double decode(int requests, int promptTokens, int outputTokens)
      throws InterruptedException {
    double[] rates = new double[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
      var streams = new ArrayList<TokenStream>();
      for (int r = 0; r < requests; r++) {
        streams.add(submit(promptTokens, outputTokens));
      }
      for (var stream : streams) {
        stream.next();
      }
      int counted = requests;
      for (var stream : streams) {
        counted += delivered(stream); // those that were first have decoded while others began
      }
      long start = System.nanoTime();
      for (var stream : streams) {
        finish(stream);
      }
      long nanos = System.nanoTime() - start;
      rates[i] = ((double) requests * outputTokens - counted) * 1e9 / nanos;
    }
    return median(rates);
  }

  /** Takes what a stream has so far; answers are longer than that. */
  private static int delivered(TokenStream stream) throws InterruptedException {
    int count = 0;
    while (stream.next(Duration.ZERO) instanceof StreamEvent.Tokens) {
      count++;
    }
    return count;
  }

  private TokenStream submit(int promptTokens, int outputTokens) {
    int[] prompt = random.ints(promptTokens, 0, vocabulary).toArray();
    return engine.submit(
        GenerationRequest.of(
            "bench", prompt, outputTokens, SamplingParams.greedy(), StopConditions.at(Set.of())));
  }

  private static void finish(TokenStream stream) throws InterruptedException {
    while (true) {
      switch (stream.next()) {
        case StreamEvent.Prompt _, StreamEvent.Tokens _ -> {}
        case StreamEvent.Finished _ -> {
          return;
        }
        case StreamEvent.Failed failed -> throw failed.error();
      }
    }
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }
}
