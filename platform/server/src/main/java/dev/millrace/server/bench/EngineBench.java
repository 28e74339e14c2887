package dev.millrace.server.bench;

import dev.millrace.engine.Engine;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.sample.SamplingParams;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Set;
import java.util.SplittableRandom;

/** Runs requests of given lengths side by side through an engine and times them. */
public final class EngineBench {
  private static final int ROUNDS = 3;

  private final Engine engine;
  private final int vocabulary;
  private final int rounds;
  private final SplittableRandom random = new SplittableRandom(1);

  /** Figures are medians of three rounds. */
  public EngineBench(Engine engine, int vocabulary) {
    this(engine, vocabulary, ROUNDS);
  }

  /** Figures are medians of so many rounds. */
  EngineBench(Engine engine, int vocabulary, int rounds) {
    this.engine = engine;
    this.vocabulary = vocabulary;
    this.rounds = rounds;
  }

  /** Prompt tokens per second of one request at a time; the median of several. */
  public double prefill(int promptTokens) throws InterruptedException {
    double[] rates = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      long start = System.nanoTime();
      new Answer(submit(promptTokens, 1)).finish();
      rates[i] = promptTokens * 1e9 / (System.nanoTime() - start);
    }
    return median(rates);
  }

  /** Tokens per second, all together, after every request has its first; the median of several. */
  public double decode(int requests, int promptTokens, int outputTokens)
      throws InterruptedException {
    double[] rates = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      var answers = new ArrayList<Answer>();
      for (int r = 0; r < requests; r++) {
        answers.add(new Answer(submit(promptTokens, outputTokens)));
      }
      for (var answer : answers) {
        answer.awaitFirst();
      }
      int counted = 0;
      for (var answer : answers) {
        counted += answer.delivered(); // those that were first have decoded while others began
      }
      long start = System.nanoTime();
      for (var answer : answers) {
        answer.finish();
      }
      long nanos = System.nanoTime() - start;
      rates[i] = ((double) requests * outputTokens - counted) * 1e9 / nanos;
    }
    return median(rates);
  }

  private TokenStream submit(int promptTokens, int outputTokens) {
    int[] prompt = random.ints(promptTokens, 0, vocabulary).toArray();
    return engine.submit(
        GenerationRequest.of(
            "bench", prompt, outputTokens, SamplingParams.greedy(), StopConditions.at(Set.of())));
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }
}
