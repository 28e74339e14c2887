package dev.millrace.compare.cpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.millrace.compare.CompareException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What formats of fewer bits cost: the divergence of the next token's distribution from the same
 * program's own in BF16, on a text, as {@code compare --quality} and {@code llama-perplexity}
 * measure it.
 */
final class QualityRow {
  /** A window of llama.cpp's usual length, of which both judge the second half. */
  private static final int TOKENS = 512;

  private static final double MILLINATS = 1000;

  private final Bench bench;
  private final Path text;

  /**
   * Ready to measure.
   *
   * @param text in plain words; names of special tokens would be read differently
   */
  QualityRow(Bench bench, Path text) {
    this.bench = bench;
    this.text = text;
  }

  /** A row for each file; the base is a GGUF file in BF16. */
  List<Row> measure(Path base, List<Path> files) {
    var ours = own(base, files, List.of(), "quality");
    var also = bench.settings().also();
    var others = also.isEmpty() ? List.<Double>of() : own(base, files, also, "quality-also");
    var peers = new ArrayList<OptionalDouble>();
    if (bench.settings().peers().llama().isPresent()) {
      peers.addAll(llama(base, files));
    }
    var rows = new ArrayList<Row>();
    for (int i = 0; i < files.size(); i++) {
      String label = Models.label(files.get(i));
      var peer = i < peers.size() ? peers.get(i) : OptionalDouble.empty();
      var own = new ArrayList<>(List.of(reading("Millrace", ours.get(i))));
      if (!others.isEmpty()) {
        own.add(reading(bench.settings().alsoName(), others.get(i)));
      }
      rows.add(
          new Row(
              "quality-" + label,
              "divergence from BF16, " + label,
              "millinats",
              false,
              own,
              peer.isPresent() ? List.of(reading("llama.cpp", peer.getAsDouble())) : List.of(),
              Double.NaN,
              List.of(
                  "each program against itself in BF16, on the second half of %d tokens of text"
                      .formatted(TOKENS))));
    }
    return rows;
  }

  private static Reading reading(String who, double nats) {
    return new Reading(who, List.of(MILLINATS * nats));
  }

  private List<Double> own(Path base, List<Path> files, List<String> further, String name) {
    bench.tell(String.join(" ", "quality, Millrace", String.join(" ", further)).strip());
    var folder = bench.settings().out().resolve(name);
    var command =
        new ArrayList<>(
            List.of(bench.settings().launcher().toString(), "compare", "--quality", "--model"));
    command.add(base.toString());
    files.forEach(file -> command.add(file.toString()));
    command.addAll(
        List.of("--text", text.toString(), "--tokens", "" + TOKENS, "--window", "" + TOKENS));
    command.addAll(List.of("--threads", bench.threads(), "--output", folder.toString()));
    command.addAll(further);
    Peers.run(command, bench.log(name));
    try {
      JsonNode formats =
          new ObjectMapper()
              .readTree(Files.readString(folder.resolve("results.json")))
              .path("formats");
      var divergences = new ArrayList<Double>();
      for (int i = 1; i <= files.size(); i++) { // the first is the base
        divergences.add(formats.path(i).path("kl_nats").asDouble(Double.NaN));
      }
      return divergences;
    } catch (IOException e) {
      throw new CompareException("compare --quality left no result: " + e.getMessage());
    }
  }

  private List<OptionalDouble> llama(Path base, List<Path> files) {
    var logits = bench.settings().scratch().resolve("base.logits");
    try {
      var shown = bench.settings().scratch().resolve("text.txt");
      Files.copy(text, shown, StandardCopyOption.REPLACE_EXISTING);
      bench.tell("quality, llama.cpp, " + Models.label(base));
      perplexity(base, logits, "-f", bench.settings().peers().seen(shown));
      var divergences = new ArrayList<OptionalDouble>();
      for (Path file : files) {
        bench.tell("quality, llama.cpp, " + Models.label(file));
        var printed = perplexity(file, logits, "--kl-divergence");
        divergences.add(PeerOutput.divergence(printed.out() + "\n" + printed.errors()));
      }
      Files.delete(shown);
      return divergences;
    } catch (IOException e) {
      throw new CompareException("cannot write what llama-perplexity reads: " + e.getMessage());
    } finally {
      logits.toFile().delete();
    }
  }

  private Peers.Printed perplexity(Path file, Path logits, String... further) {
    var peers = bench.settings().peers();
    var arguments =
        new ArrayList<>(List.of("-m", peers.seen(file), "-t", bench.threads(), "-c", "" + TOKENS));
    arguments.addAll(List.of("--chunks", "1"));
    arguments.addAll(List.of("--kl-divergence-base", peers.seen(logits)));
    arguments.addAll(List.of(further));
    return bench.llama("llama-perplexity", arguments.toArray(String[]::new));
  }
}
