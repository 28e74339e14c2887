package dev.millrace.compare.cpu;

import java.nio.file.Path;

/**
 * Single measurements by llama.cpp's programs; the words before their names must have been given.
 */
final class LlamaPrograms {
  private final Bench bench;

  LlamaPrograms(Bench bench) {
    this.bench = bench;
  }

  /**
   * Tokens per second of one test.
   *
   * @param prompt tokens that are prefilled, or 0
   * @param output tokens that are decoded by one stream, or 0
   * @param depth tokens that are in the cache before
   */
  double bench(Path model, int prompt, int output, int depth) {
    var printed =
        bench.llama(
            "llama-bench",
            "-m",
            bench.settings().peers().seen(model),
            "-t",
            bench.threads(),
            "-p",
            "" + prompt,
            "-n",
            "" + output,
            "-d",
            "" + depth,
            "-r",
            "1",
            "-o",
            "json");
    return PeerOutput.bench(printed.out());
  }

  /** Tokens per second of all streams together while they decode. */
  double batched(Path model, int streams, int prompt, int output) {
    var printed =
        bench.llama(
            "llama-batched-bench",
            "-m",
            bench.settings().peers().seen(model),
            "-t",
            bench.threads(),
            "-tb",
            bench.threads(),
            "-c",
            "" + streams * (prompt + output),
            "-npp",
            "" + prompt,
            "-ntg",
            "" + output,
            "-npl",
            "" + streams,
            "--output-format",
            "jsonl");
    return PeerOutput.batched(printed.out());
  }
}
