package dev.millrace.server.quality;

import dev.millrace.engine.EngineListener;
import dev.millrace.engine.InferenceHost;
import dev.millrace.engine.LogitReader;
import dev.millrace.engine.load.ModelSettings;
import dev.millrace.engine.plugin.PluginCatalog;
import dev.millrace.server.bench.BenchHost;
import dev.millrace.server.bench.EngineBench;
import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Judges formats of one model, one after the other, against the first of them.
 *
 * @param text that perplexity and divergence are measured on
 * @param mostTokens of it
 * @param window tokens of it that are read at a time, as {@link Texts#windows}; 0: up to a blank
 *     line
 * @param questions whose answers are counted, if any
 * @param kernels as {@code --cpu-kernels}
 * @param activations as {@code --quantized-activations}
 * @param threads that compute; 0: one per core
 */
record Judge(
    PluginCatalog plugins,
    Path text,
    int mostTokens,
    int window,
    Optional<Questions> questions,
    String kernels,
    String activations,
    int threads) {
  private static final int LONGEST = 1024;
  private static final int PROMPT = 128;
  private static final int OUTPUT = 64;

  /**
   * Judges all.
   *
   * @param models the baseline first
   * @param done hears of each
   */
  List<Judged> judge(List<ModelSettings> models, Consumer<Judged> done)
      throws IOException, InterruptedException {
    var all = new ArrayList<Judged>();
    LogProbs baseline = null;
    try {
      List<Text> texts = List.of();
      for (var model : models) {
        var settings = BenchHost.settings(model, kernels, activations, threads);
        TextScore score;
        try (var reader = LogitReader.open(settings, plugins, LONGEST)) {
          int vocabulary = reader.model().spec().vocabulary();
          if (baseline == null) {
            texts = texts(reader);
            baseline = new LogProbs(TextScore.positions(texts), vocabulary);
            score = TextScore.of(reader, texts, null, baseline);
          } else {
            requireSame(model, reader, baseline, texts);
            score = TextScore.of(reader, texts, baseline, null);
          }
        }
        var judged = judge(model, score);
        all.add(judged);
        done.accept(judged);
      }
      return all;
    } finally {
      close(baseline);
    }
  }

  private List<Text> texts(LogitReader reader) {
    var tokenizer = reader.model().tokenizer();
    if (window == 0) {
      return Texts.between(text, tokenizer, reader.longest(), mostTokens);
    }
    if (window < 2 || window > reader.longest()) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "window must be 2 to %d tokens, is %d".formatted(reader.longest(), window));
    }
    return Texts.windows(text, tokenizer, window, mostTokens);
  }

  /** Models with other tokens cannot be compared token by token. */
  private void requireSame(
      ModelSettings model, LogitReader reader, LogProbs baseline, List<Text> texts) {
    var own = texts(reader);
    boolean same = own.size() == texts.size();
    for (int i = 0; same && i < own.size(); i++) {
      same = Arrays.equals(own.get(i).tokens(), texts.get(i).tokens());
    }
    if (!same || reader.model().spec().vocabulary() != baseline.vocabulary()) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          model.name() + " has other tokens than the baseline: it is another model");
    }
  }

  private Judged judge(ModelSettings model, TextScore score) throws InterruptedException {
    var settings = BenchHost.settings(model, kernels, activations, threads);
    try (var host = InferenceHost.open(settings, plugins, EngineListener.NONE)) {
      int right = questions.isPresent() ? questions.get().right(host) : -1;
      var bench = new EngineBench(host.engine(), host.model().spec().vocabulary());
      bench.decode(1, PROMPT, OUTPUT); // warms up
      return new Judged(
          model.name(),
          host.deviceName(),
          host.model().formats(),
          score,
          right,
          bench.prefill(PROMPT),
          bench.decode(1, PROMPT, OUTPUT));
    }
  }

  private static void close(@Nullable LogProbs baseline) throws IOException {
    if (baseline != null) {
      baseline.close();
    }
  }
}
