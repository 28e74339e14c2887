package dev.millrace.compare.cpu;

import dev.millrace.compare.cpu.Bench.Turn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleSupplier;

/** Rows without HTTP: engines that decode or prefill, on the same file in the same turns. */
final class EngineRows {
  private static final int PROMPT = 128;
  private static final int OUTPUT = 128;
  private static final int STREAMS = 32;
  private static final int LONG_PROMPT = 512;
  private static final String PREFILL = "prefill " + LONG_PROMPT;

  /** Tokens before one that is decoded, on average. */
  private static final double CONTEXT = PROMPT + OUTPUT / 2.0;

  private static final String MILLRACE = "Millrace";
  private static final String LLAMA = "llama.cpp";
  private static final String PYTORCH = "PyTorch BF16";

  private final Bench bench;
  private final LlamaPrograms llama;

  EngineRows(Bench bench) {
    this.bench = bench;
    this.llama = new LlamaPrograms(bench);
  }

  /** One stream. */
  Row decode(RowName name, Path file) {
    int look = bench.speed().looks();
    String line = "decode 1 %d %d".formatted(PROMPT, OUTPUT);
    var torch = name == RowName.DECODE_BF16 ? torch() : Optional.<LineProgram>empty();
    try (var own = bench.own(file, List.of());
        var also = name == RowName.DECODE_Q4 ? Also.of(bench, file) : Also.nothing()) {
      own.rate("decode 1 %d 16".formatted(PROMPT)); // warms up
      var turns = new ArrayList<Turn>();
      turns.add(new Turn(MILLRACE, () -> own.rate(line)));
      also.add(turns, line);
      int mine = turns.size();
      addLlama(turns, () -> llama.bench(file, 0, OUTPUT, PROMPT));
      torch.ifPresent(program -> turns.add(new Turn(PYTORCH, () -> program.rate(line))));
      var readings = bench.turns(name.toString(), turns);
      var floor = floor(own, file, "bf16", look);
      return row(
          name.toString(),
          "decode of one stream, %s, %d in, %d out".formatted(Models.label(file), PROMPT, OUTPUT),
          readings,
          mine,
          floor.decode(1, CONTEXT),
          List.of(about(own), reading(readings.getFirst(), floor)));
    } finally {
      torch.ifPresent(LineProgram::close);
    }
  }

  /** Many streams together. */
  Row batch(Path file) {
    int look = bench.speed().looks();
    String line = "decode %d %d %d".formatted(STREAMS, PROMPT, OUTPUT);
    try (var own = bench.own(file, List.of());
        var also = Also.of(bench, file)) {
      own.rate("decode %d 16 16".formatted(STREAMS)); // warms up
      var turns = new ArrayList<Turn>();
      turns.add(new Turn(MILLRACE, () -> own.rate(line)));
      also.add(turns, line);
      int mine = turns.size();
      addLlama(turns, () -> llama.batched(file, STREAMS, PROMPT, OUTPUT));
      // a turn of a peer takes most of a minute
      var readings = bench.turns("batch-q4", turns, Math.min(2, bench.settings().turns()));
      return row(
          "batch-q4",
          "decode of %d streams together, %s, %d in, %d out"
              .formatted(STREAMS, Models.label(file), PROMPT, OUTPUT),
          readings,
          mine,
          floor(own, file, "int8", look).decode(STREAMS, CONTEXT),
          List.of(about(own), "at best: 8-bit products, as its floor is arithmetic"));
    }
  }

  /** A long prompt in BF16. */
  Row prefillBf16(Path file) {
    int look = bench.speed().looks();
    var torch = torch();
    try (var own = bench.own(file, List.of())) {
      own.rate(PREFILL); // warms up
      torch.ifPresent(program -> program.rate(PREFILL));
      var turns = new ArrayList<Turn>();
      turns.add(new Turn(MILLRACE, () -> own.rate(PREFILL)));
      torch.ifPresent(program -> turns.add(new Turn(PYTORCH, () -> program.rate(PREFILL))));
      addLlama(turns, () -> llama.bench(file, LONG_PROMPT, 0, 0));
      var readings = bench.turns("prefill-bf16", turns);
      return row(
          "prefill-bf16",
          "prefill of %d, BF16".formatted(LONG_PROMPT),
          readings,
          1,
          floor(own, file, "bf16", look).prefill(LONG_PROMPT),
          List.of(about(own)));
    } finally {
      torch.ifPresent(LineProgram::close);
    }
  }

  /** A long prompt in each of the formats of fewer bits; each file is a row. */
  List<Row> prefillQuantized(List<Path> files) {
    return files.stream().map(this::prefillQuantized).toList();
  }

  private Row prefillQuantized(Path file) {
    int look = bench.speed().looks();
    try (var own = bench.own(file, List.of());
        var also = Also.of(bench, file)) {
      own.rate(PREFILL); // warms up
      var turns = new ArrayList<Turn>();
      turns.add(new Turn(MILLRACE, () -> own.rate(PREFILL)));
      also.add(turns, PREFILL);
      int mine = turns.size();
      addLlama(turns, () -> llama.bench(file, LONG_PROMPT, 0, 0));
      String key = "prefill-" + Models.label(file);
      return row(
          key,
          "prefill of %d, %s".formatted(LONG_PROMPT, Models.label(file)),
          bench.turns(key, turns),
          mine,
          floor(own, file, "int8", look).prefill(LONG_PROMPT),
          List.of(about(own), "at best: 8-bit products"));
    }
  }

  private void addLlama(List<Turn> turns, DoubleSupplier measure) {
    if (bench.settings().peers().llama().isPresent()) {
      turns.add(new Turn(LLAMA, measure));
    }
  }

  private Optional<LineProgram> torch() {
    return bench.settings().peers().python().isPresent()
        ? bench.settings().models().directory().map(bench::torch)
        : Optional.empty();
  }

  private Floor floor(LineProgram own, Path file, String numbers, int look) {
    var work = Bench.work(own);
    return bench.floor(work, (double) Models.bytes(file) - work.tableBytes(), numbers, look);
  }

  private static Row row(
      String key, String title, List<Reading> readings, int ours, double best, List<String> told) {
    return new Row(
        key,
        title,
        "tok/s",
        true,
        readings.subList(0, ours),
        readings.subList(ours, readings.size()),
        best,
        told);
  }

  private static String about(LineProgram own) {
    var first = own.first();
    return "Millrace: " + first.path("device").asText() + ", " + first.path("formats").asText();
  }

  /** The bandwidth that one stream draws, counted as the weights are kept. */
  private static String reading(Reading own, Floor floor) {
    double drawn = own.spread().median() * floor.work().readBytes();
    return String.format(
        Locale.ROOT,
        "reads %.0f MB of weights a token in its own layout (%.0f MB in the file): %.1f of %.1f"
            + " GB/s of memory, %.0f %%",
        floor.work().readBytes() / 1e6,
        floor.weightBytes() / 1e6,
        drawn / 1e9,
        floor.bytesPerSecond() / 1e9,
        100 * drawn / floor.bytesPerSecond());
  }
}
