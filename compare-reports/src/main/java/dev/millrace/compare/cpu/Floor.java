package dev.millrace.compare.cpu;

import dev.millrace.loadtest.CompletionCall;
import java.util.List;

/**
 * The most that a machine allows: weights and cache are read once a step, every product is computed
 * once, both at the measured speed and at the same time, and nothing else takes time.
 *
 * @param work of the model
 * @param weightBytes of the weights that a step reads, in the file's format
 * @param bytesPerSecond of memory, measured
 * @param operationsPerSecond of all cores, measured; not a number where that cannot be
 */
record Floor(Work work, double weightBytes, double bytesPerSecond, double operationsPerSecond) {
  /** Bytes of a number in the cache: 16 bits are what all of the programs use or can use. */
  private static final int CACHE_BYTES = 2;

  /** Tokens per second of streams that decode together, with so many tokens before them. */
  double decode(int streams, double context) {
    return streams / stepSeconds(streams, context);
  }

  /** Tokens per second of a prompt. */
  double prefill(int tokens) {
    return tokens / promptSeconds(tokens);
  }

  /** Output tokens per second of calls, by so many users at any time. */
  double requests(List<CompletionCall> calls, int users) {
    double seconds = 0;
    long outputs = 0;
    for (var call : calls) {
      int prompt = call.prompt().length;
      outputs += call.outputTokens();
      seconds += work.promptOperations(prompt) / operationsPerSecond;
      double context = prompt + call.outputTokens() / 2.0;
      // the prompt's step has given the first token
      seconds += (call.outputTokens() - 1) * stepSeconds(users, context) / users;
    }
    return outputs / seconds;
  }

  private double stepSeconds(int streams, double context) {
    double bytes = weightBytes + streams * context * work.cacheNumbers() * CACHE_BYTES;
    return slower(bytes, streams * work.operations(context));
  }

  private double promptSeconds(int tokens) {
    return slower(weightBytes, work.promptOperations(tokens));
  }

  private double slower(double bytes, double operations) {
    double computing = operations / operationsPerSecond;
    double reading = bytes / bytesPerSecond;
    return Double.isFinite(computing) ? Math.max(reading, computing) : reading;
  }
}
