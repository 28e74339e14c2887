package dev.millrace.compare.cpu;

import dev.millrace.compare.CompareException;
import dev.millrace.compare.Machine;
import dev.millrace.loadtest.LengthShape;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Measures the rows that were asked for; one that cannot be measured does not stop the others. */
final class CpuBench {
  private final Bench bench;
  private final Models models;
  private final Path text;
  private final List<Row> rows = new ArrayList<>();
  private final List<String> missing = new ArrayList<>();

  private CpuBench(Bench bench, Path text) {
    this.bench = bench;
    this.models = bench.settings().models();
    this.text = text;
  }

  /** What a row needs is not there. */
  private static final class Missing extends RuntimeException {
    private static final long serialVersionUID = 1;

    Missing(String option) {
      super("needs " + option);
    }
  }

  /**
   * Measures, and writes the report after each row.
   *
   * @param text on which quality is measured
   * @param told hears how far it is
   */
  static CpuReport run(CpuBenchSettings settings, Path text, PrintWriter told) throws IOException {
    Files.createDirectories(settings.out().resolve("logs"));
    Files.createDirectories(settings.scratch());
    try (var bench = new Bench(settings, told)) {
      var run = new CpuBench(bench, text);
      for (var name : settings.rows()) {
        run.measure(name);
        run.report().write(); // so that a run that is cut off leaves what it has
      }
      return run.report();
    }
  }

  private CpuReport report() {
    return new CpuReport(bench.settings(), Machine.detect(), bench.speed(), rows, missing);
  }

  private void measure(RowName name) {
    try {
      rows.addAll(rows(name));
    } catch (Missing | CompareException e) {
      missing.add(name + ": " + e.getMessage());
      bench.tell(missing.getLast());
    }
  }

  private List<Row> rows(RowName name) {
    var engine = new EngineRows(bench);
    return switch (name) {
      case DECODE_Q4 -> List.of(engine.decode(name, need(models.q4(), "--large-q4")));
      case DECODE_BF16 -> List.of(engine.decode(name, need(models.bf16(), "--large-bf16")));
      case BATCH_Q4 -> List.of(engine.batch(need(models.q4(), "--large-q4")));
      case PREFILL_BF16 -> List.of(engine.prefillBf16(need(models.bf16(), "--large-bf16")));
      case PREFILL_QUANTIZED -> engine.prefillQuantized(quantized());
      case QUALITY ->
          new QualityRow(bench, text).measure(need(models.bf16(), "--large-bf16"), quantized());
      case HTTP_FIXED -> http(name, LengthShape.UNIFORM);
      case HTTP_CHAT -> http(name, LengthShape.CHAT);
      case DEMO_HTTP -> new DemoRows(bench).oneStream();
      case DEMO_START -> List.of(new DemoRows(bench).start());
      case LOAD -> load();
      case PAUSES -> List.of(new PausesRow(bench, small()).measure());
    };
  }

  private List<Row> http(RowName name, LengthShape lengths) {
    return new HttpRows(bench, need(models.small(), "--small")).measure(name, lengths);
  }

  private List<Row> load() {
    var load = new LoadRow(bench);
    var all = new ArrayList<>(load.gguf(need(models.q4(), "--large-q4")));
    models.directory().ifPresent(directory -> all.addAll(load.directory(directory)));
    return all;
  }

  /** The Q4_0 file first, then the others. */
  private List<Path> quantized() {
    var files = new ArrayList<>(List.of(need(models.q4(), "--large-q4")));
    files.addAll(models.quantized());
    return files;
  }

  private List<String> small() {
    return models.small().map(model -> List.of("--model", model.toString())).orElse(List.of());
  }

  private static Path need(Optional<Path> model, String option) {
    return model.orElseThrow(() -> new Missing(option));
  }
}
