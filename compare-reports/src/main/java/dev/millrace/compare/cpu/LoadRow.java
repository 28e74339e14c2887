package dev.millrace.compare.cpu;

import dev.millrace.compare.cpu.Bench.Turn;
import dev.millrace.loadtest.LengthShape;
import dev.millrace.loadtest.Workload;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * How long servers take until they are ready with a large model, and the most memory that they have
 * resident when they have answered once.
 */
final class LoadRow {
  private static final int PROMPT = 128;
  private static final int OUTPUT = 32;
  private static final int CONTEXT = 1024;
  private static final double MEGA = 1e6;

  private final Bench bench;

  LoadRow(Bench bench) {
    this.bench = bench;
  }

  /** Two rows of a GGUF file. */
  List<Row> gguf(Path file) {
    var starts = new LinkedHashMap<String, Supplier<Served>>();
    starts.put("Millrace", () -> own(file));
    if (bench.settings().peers().llama().isPresent()) {
      starts.put("llama-server", () -> Served.llama(bench, file, 1, CONTEXT));
    }
    return measure(Models.label(file), file, starts);
  }

  /** Two rows of a directory of safetensors. */
  List<Row> directory(Path directory) {
    var starts = new LinkedHashMap<String, Supplier<Served>>();
    starts.put("Millrace", () -> own(directory));
    if (bench.settings().peers().staticServer().isPresent()) {
      starts.put("transformers", () -> Served.transformers(bench, directory, 1));
    }
    return measure("safetensors", directory, starts);
  }

  private Served own(Path model) {
    var options = List.of("--model", model.toString(), "--max-model-len", "" + CONTEXT);
    return Served.own(bench, options, Map.of());
  }

  private List<Row> measure(String label, Path model, Map<String, Supplier<Served>> starts) {
    int look = bench.speed().looks();
    var memory = new ArrayList<List<Double>>();
    var turns = new ArrayList<Turn>();
    starts.forEach((who, start) -> {
      var peaks = new ArrayList<Double>();
      memory.add(peaks);
      turns.add(new Turn(who, () -> startAndAnswer(start, peaks)));
    });
    var readings = bench.turns("load-" + label, turns, Math.min(2, bench.settings().turns()));
    var resident = new ArrayList<Reading>();
    for (int i = 0; i < turns.size(); i++) {
      resident.add(new Reading(turns.get(i).who(), memory.get(i)));
    }
    double bytes = Models.bytes(model);
    double seconds = bytes / bench.speed().bandwidth(look).median();
    return List.of(
        row(
            "load-" + label,
            "start of the server until it is ready, large model, " + label,
            "s",
            readings,
            seconds,
            "at best: the file read once, from the system's cache"),
        row(
            "memory-" + label,
            "most memory resident, large model, %s, one answer".formatted(label),
            "MB",
            resident,
            bytes / MEGA,
            "mapped files count as far as they are resident; at best: the file's size"));
  }

  private double startAndAnswer(Supplier<Served> start, List<Double> peaks) {
    try (var server = start.get()) {
      var calls = new Workload(LengthShape.UNIFORM, 1, PROMPT, OUTPUT, CONTEXT, 1).calls();
      server.send(bench, calls, 1);
      server.peakBytes().ifPresent(bytes -> peaks.add(bytes / MEGA));
      return server.startSeconds();
    }
  }

  private static Row row(
      String key, String title, String unit, List<Reading> readings, double best, String remark) {
    return new Row(
        key,
        title,
        unit,
        false,
        readings.subList(0, 1),
        readings.subList(1, readings.size()),
        best,
        List.of(remark));
  }
}
