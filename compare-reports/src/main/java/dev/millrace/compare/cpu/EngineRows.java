package dev.millrace.compare.cpu;

import dev.millrace.compare.cpu.Bench.Turn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Rows without HTTP: engines that decode or prefill, on the same file in the same turns. */
final class EngineRows {
  private static final int PROMPT = 128;
  private static final int OUTPUT = 128;
  private static final int STREAMS = 32;
  private static final int LONG_PROMPT = 512;

  /** Rows of a llama.cpp batch: a multiple of its own ubatch. */
  private static final int TOGETHER = STREAMS * (PROMPT + OUTPUT);

  private static final String MILLRACE = "Millrace";
  private static final String LLAMA = "llama.cpp";
  private static final String PYTORCH = "PyTorch BF16";

  private final Bench bench;
  private final Models models;
  private final Peers peers;

  EngineRows(Bench bench) {
    this.bench = bench;
    this.models = bench.settings().models();
    this.peers = bench.settings().peers();
  }

  /** One stream. */
  Row decode(RowName name, Path file) {
    int look = bench.speed().looks();
    String line = "decode 1 %d %d".formatted(PROMPT, OUTPUT);
    var torch = name == RowName.DECODE_BF16 ? torch() : Optional.<LineProgram>empty();
    try (var own = bench.own(file, List.of())) {
      own.rate("decode 1 %d 16".formatted(PROMPT)); // warms up
      var turns = new ArrayList<Turn>();
      turns.add(new Turn(MILLRACE, () -> own.rate(line)));
      if (peers.llama().isPresent()) {
        turns.add(new Turn(LLAMA, () -> llamaBench(file, 0, OUTPUT, PROMPT)));
      }
      torch.ifPresent(program -> turns.add(new Turn(PYTORCH, () -> program.rate(line))));
      var readings = bench.turns(name.toString(), turns);
      var work = Bench.work(own);
      double bytes = (double) Models.bytes(file) - work.tableBytes();
      var floor = bench.floor(work, bytes, "bf16", look);
      double rate = readings.getFirst().spread().median();
      return new Row(
          name.toString(),
          "decode of one stream, %s, %d in, %d out".formatted(Models.label(file), PROMPT, OUTPUT),
          "tok/s",
          true,
          readings.subList(0, 1),
          readings.subList(1, readings.size()),
          floor.decode(1, PROMPT + OUTPUT / 2.0),
          List.of(
              about(own),
              String.format(
                  Locale.ROOT,
                  "reads %.0f MB of weights a token in its own layout (%.0f MB in the file): %.1f of"
                      + " %.1f GB/s of memory, %.0f %%",
                  work.readBytes() / 1e6,
                  bytes / 1e6,
                  rate * work.readBytes() / 1e9,
                  floor.bytesPerSecond() / 1e9,
                  100 * rate * work.readBytes() / floor.bytesPerSecond())));
    } finally {
      torch.ifPresent(LineProgram::close);
    }
  }

  /** Many streams together. */
  Row batch(Path file) {
    int look = bench.speed().looks();
    String line = "decode %d %d %d".formatted(STREAMS, PROMPT, OUTPUT);
    try (var own = bench.own(file, List.of());
        var also = also(file)) {
      own.rate("decode %d 16 16".formatted(STREAMS)); // warms up
      var turns = new ArrayList<Turn>();
      turns.add(new Turn(MILLRACE, () -> own.rate(line)));
      also.add(turns, line);
      int mine = turns.size();
      if (peers.llama().isPresent()) {
        turns.add(new Turn(LLAMA, () -> batchedBench(file)));
      }
      // a turn of a peer takes most of a minute
      var readings = bench.turns("batch-q4", turns, Math.min(2, bench.settings().turns()));
      var work = Bench.work(own);
      double bytes = (double) Models.bytes(file) - work.tableBytes();
      return new Row(
          "batch-q4",
          "decode of %d streams together, %s, %d in, %d out"
              .formatted(STREAMS, Models.label(file), PROMPT, OUTPUT),
          "tok/s",
          true,
          readings.subList(0, mine),
          readings.subList(mine, readings.size()),
          bench.floor(work, bytes, "int8", look).decode(STREAMS, PROMPT + OUTPUT / 2.0),
          List.of(about(own), "at best: 8-bit products, as its floor is arithmetic"));
    }
  }

  /** A long prompt in BF16. */
  Row prefillBf16(Path file) {
    int look = bench.speed().looks();
    String line = "prefill " + LONG_PROMPT;
    var torch = torch();
    try (var own = bench.own(file, List.of())) {
      own.rate(line); // warms up
      torch.ifPresent(program -> program.rate(line));
      var turns = new ArrayList<Turn>();
      turns.add(new Turn(MILLRACE, () -> own.rate(line)));
      torch.ifPresent(program -> turns.add(new Turn(PYTORCH, () -> program.rate(line))));
      if (peers.llama().isPresent()) {
        turns.add(new Turn(LLAMA, () -> llamaBench(file, LONG_PROMPT, 0, 0)));
      }
      var readings = bench.turns("prefill-bf16", turns);
      var work = Bench.work(own);
      double bytes = (double) Models.bytes(file) - work.tableBytes();
      return new Row(
          "prefill-bf16",
          "prefill of %d, BF16".formatted(LONG_PROMPT),
          "tok/s",
          true,
          readings.subList(0, 1),
          readings.subList(1, readings.size()),
          bench.floor(work, bytes, "bf16", look).prefill(LONG_PROMPT),
          List.of(about(own)));
    } finally {
      torch.ifPresent(LineProgram::close);
    }
  }

  /** A long prompt in each of the formats of fewer bits; each file is a row. */
  List<Row> prefillQuantized(List<Path> files) {
    var rows = new ArrayList<Row>();
    String line = "prefill " + LONG_PROMPT;
    for (Path file : files) {
      int look = bench.speed().looks();
      try (var own = bench.own(file, List.of());
          var also = also(file)) {
        own.rate(line); // warms up
        var turns = new ArrayList<Turn>();
        turns.add(new Turn(MILLRACE, () -> own.rate(line)));
        also.add(turns, line);
        int mine = turns.size();
        if (peers.llama().isPresent()) {
          turns.add(new Turn(LLAMA, () -> llamaBench(file, LONG_PROMPT, 0, 0)));
        }
        var readings = bench.turns("prefill-" + Models.label(file), turns);
        var work = Bench.work(own);
        double bytes = (double) Models.bytes(file) - work.tableBytes();
        rows.add(
            new Row(
                "prefill-" + Models.label(file),
                "prefill of %d, %s".formatted(LONG_PROMPT, Models.label(file)),
                "tok/s",
                true,
                readings.subList(0, mine),
                readings.subList(mine, readings.size()),
                bench.floor(work, bytes, "int8", look).prefill(LONG_PROMPT),
                List.of(about(own), "at best: 8-bit products")));
      }
    }
    return rows;
  }

  private Optional<LineProgram> torch() {
    return peers.python().isPresent() ? models.directory().map(bench::torch) : Optional.empty();
  }

  private Also also(Path file) {
    var options = bench.settings().also();
    return options.isEmpty()
        ? new Also("", Optional.empty())
        : new Also(String.join(" ", options), Optional.of(bench.own(file, options)));
  }

  /** Our own program once more, with further options; or nothing. */
  private record Also(String options, Optional<LineProgram> program) implements AutoCloseable {
    void add(List<Turn> turns, String line) {
      program.ifPresent(one -> {
        one.rate(line); // warms up
        turns.add(new Turn(MILLRACE + " " + options, () -> one.rate(line)));
      });
    }

    @Override
    public void close() {
      program.ifPresent(LineProgram::close);
    }
  }

  private double llamaBench(Path file, int prompt, int output, int depth) {
    return PeerOutput.bench(
        bench
            .llama(
                "llama-bench",
                "-m",
                peers.seen(file),
                "-t",
                bench.threads(),
                "-p",
                Integer.toString(prompt),
                "-n",
                Integer.toString(output),
                "-d",
                Integer.toString(depth),
                "-r",
                "1",
                "-o",
                "json")
            .out());
  }

  private double batchedBench(Path file) {
    return PeerOutput.batched(
        bench
            .llama(
                "llama-batched-bench",
                "-m",
                peers.seen(file),
                "-t",
                bench.threads(),
                "-tb",
                bench.threads(),
                "-c",
                Integer.toString(TOGETHER),
                "-npp",
                Integer.toString(PROMPT),
                "-ntg",
                Integer.toString(OUTPUT),
                "-npl",
                Integer.toString(STREAMS),
                "--output-format",
                "jsonl")
            .out());
  }

  private static String about(LineProgram own) {
    return "Millrace: "
        + own.first().path("device").asText()
        + ", "
        + own.first().path("formats").asText();
  }
}
