package dev.millrace.cuda;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.millrace.engine.Engine;
import dev.millrace.engine.EngineListener;
import dev.millrace.engine.EngineSettings;
import dev.millrace.engine.GenerationRequest;
import dev.millrace.engine.NamedScheduler;
import dev.millrace.engine.StopConditions;
import dev.millrace.engine.StreamEvent;
import dev.millrace.engine.TokenStream;
import dev.millrace.engine.sample.SamplingParams;
import dev.millrace.engine.schedule.FirstComeFirstServed;
import dev.millrace.testkit.PlainMatrices;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/**
 * A whole engine with random weights, prompts and answers as long as in chats, all requested at
 * once: output tokens per second and time to the first token. The lengths are those of {@code
 * chat-lengths.txt}, log-normal, so that another engine can be given the same.
 */
record EngineBench(ObjectNode json, Consumer<String> say) {
  private static final boolean REAL = !SuitePart.simulated();
  private static final int REQUESTS = Integer.getInteger("millrace.requests", REAL ? 256 : 4);
  private static final int LONGEST = 2048;

  /** A prompt's and an answer's length. */
  private record Lengths(int prompt, int answer) {
    static Lengths of(String line) {
      String[] words = line.split(" ", 2);
      int most = REAL ? LONGEST : 6;
      return new Lengths(
          Math.min(most, Integer.parseInt(words[0])), Math.min(most, Integer.parseInt(words[1])));
    }
  }

  /** When the first token came, in seconds, and how many there were. */
  private record Answer(double first, int tokens) {}

  void run() throws Exception {
    var shape = BenchShape.here();
    var settings =
        new EngineSettings(
            LONGEST, 256, REAL ? 2048 : 64, 16, REAL ? 32_768 : 256, false, 1024, 1 << 20);
    try (var tokenizer = WordTokenizer.of(shape.vocabulary());
        var weights = BenchModel.Weights.of(shape);
        var model =
            new BenchModel(
                weights,
                new PlainMatrices(),
                settings.blocks(),
                settings.maxNumBatchedTokens(),
                say);
        var engine =
            new Engine(
                new Engine.Parts(
                    model.loaded(), shape.vocabulary(), tokenizer, settings, EngineListener.NONE),
                new NamedScheduler("first-come-first-served", new FirstComeFirstServed()))) {
      var lengths = lengths();
      warm(engine, shape, lengths.size());
      measure(engine, shape, lengths, SamplingParams.greedy(), "greedy");
      var sampled = new SamplingParams(1, 0, 1, 0, 1, 0, 0, Map.of(), 7);
      measure(engine, shape, lengths, sampled, "temperature 1");
      busy(model, engine, shape, lengths.size());
    }
  }

  /** How much of its time the card is at work while all requests decode. */
  private void busy(BenchModel model, Engine engine, BenchShape shape, int requests)
      throws Exception {
    try (var busy = new BusyTime(requests)) {
      model.mark(busy); // nothing runs
      var streams = new ArrayList<TokenStream>();
      for (int i = 0; i < requests; i++) {
        var lengths = new Lengths(REAL ? 128 : 4, BusyTime.STEPS + (REAL ? 100 : 8));
        streams.add(submit(engine, shape, lengths, SamplingParams.greedy(), i));
      }
      for (var stream : streams) {
        var _ = take(stream, System.nanoTime());
      }
      say.accept(busy.note(json.putObject("decoding")));
    }
  }

  private static List<Lengths> lengths() throws IOException {
    try (var in =
        Objects.requireNonNull(EngineBench.class.getResourceAsStream("/chat-lengths.txt"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .limit(REQUESTS)
          .map(Lengths::of)
          .toList();
    }
  }

  /** Runs every kernel, and has the graphs recorded that decoding will take. */
  private static void warm(Engine engine, BenchShape shape, int requests) throws Exception {
    var streams = new ArrayList<TokenStream>();
    for (int i = 0; i < requests; i++) {
      streams.add(submit(engine, shape, new Lengths(16, 8 + i / 4), SamplingParams.greedy(), i));
    }
    for (var stream : streams) {
      var _ = take(stream, System.nanoTime());
    }
  }

  private void measure(
      Engine engine, BenchShape shape, List<Lengths> all, SamplingParams params, String name)
      throws Exception {
    long start = System.nanoTime();
    var answers = new ArrayList<Answer>();
    try (var readers = Executors.newVirtualThreadPerTaskExecutor()) {
      var tasks = new ArrayList<Callable<Answer>>();
      for (int i = 0; i < all.size(); i++) {
        var stream = submit(engine, shape, all.get(i), params, i);
        tasks.add(() -> take(stream, start));
      }
      for (var done : readers.invokeAll(tasks)) {
        answers.add(done.get());
      }
    }
    double seconds = BenchModel.since(start);
    int tokens = answers.stream().mapToInt(Answer::tokens).sum();
    double[] first = answers.stream().mapToDouble(Answer::first).sorted().toArray();
    json.putObject(name)
        .put("requests", all.size())
        .put("output tokens", tokens)
        .put("seconds", seconds)
        .put("output tok/s", tokens / seconds)
        .put("TTFT P50 s", first[first.length / 2])
        .put("TTFT P99 s", first[first.length * 99 / 100]);
    say.accept(
        "%s, %d requests at once: %d output tokens in %.2f s, %.0f tok/s; first token P50 %.2f s, P99 %.2f s"
            .formatted(
                name,
                all.size(),
                tokens,
                seconds,
                tokens / seconds,
                first[first.length / 2],
                first[first.length * 99 / 100]));
  }

  private static TokenStream submit(
      Engine engine, BenchShape shape, Lengths lengths, SamplingParams params, int seed) {
    int[] prompt = new SplittableRandom(seed).ints(lengths.prompt, 3, shape.vocabulary()).toArray();
    var never = StopConditions.at(Set.of());
    return engine.submit(GenerationRequest.of("bench", prompt, lengths.answer, params, never));
  }

  private static Answer take(TokenStream stream, long start) throws InterruptedException {
    double first = 0;
    int tokens = 0;
    while (true) {
      switch (stream.next()) {
        case StreamEvent.Prompt _ -> {}
        case StreamEvent.Tokens some -> {
          first = tokens == 0 ? BenchModel.since(start) : first;
          tokens += some.tokens().size();
        }
        case StreamEvent.Finished _ -> {
          return new Answer(first, tokens);
        }
        case StreamEvent.Failed failed -> throw failed.error();
      }
    }
  }
}
