package dev.millrace.compare.cpu;

import com.fasterxml.jackson.databind.JsonNode;
import dev.millrace.compare.Spread;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What memory and processor gave, looked at again and again between other measurements. What memory
 * gives changes from minute to minute where other machines share it, so a row has that of its own
 * looks. What a core multiplies does not; whoever else ran only took from it, so its greatest
 * counts.
 */
final class MachineSpeed {
  private final List<Double> bandwidths = new ArrayList<>();
  private final Map<String, List<Double>> peaks = new LinkedHashMap<>();
  private final Map<String, String> units = new LinkedHashMap<>();

  /** One look, as {@code bench --turns} answers it. */
  void add(JsonNode machine) {
    bandwidths.add(machine.path("bytes_per_second").asDouble(Double.NaN));
    for (var peak : machine.path("peaks")) {
      String numbers = peak.path("numbers").asText();
      peaks
          .computeIfAbsent(numbers, _ -> new ArrayList<>())
          .add(peak.path("operationsPerSecond").asDouble());
      units.put(numbers, peak.path("unit").asText());
    }
  }

  /** How many looks there were. */
  int looks() {
    return bandwidths.size();
  }

  /** Bytes per second, over the looks from one on. */
  Spread bandwidth(int first) {
    return Spread.of(bandwidths.subList(first, bandwidths.size()));
  }

  /** Kinds of numbers whose peak was measured. */
  List<String> numbers() {
    return List.copyOf(peaks.keySet());
  }

  /** What multiplies such numbers fastest, e.g. {@code avx512}. */
  String unit(String numbers) {
    return units.getOrDefault(numbers, "");
  }

  /** Operations per second with numbers of a kind, over all looks. */
  Spread peak(String numbers) {
    return Spread.of(peaks.getOrDefault(numbers, List.of()));
  }
}
