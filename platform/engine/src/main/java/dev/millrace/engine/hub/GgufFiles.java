package dev.millrace.engine.hub;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The GGUF files of a repository, of which one model is chosen: a file, or all parts of a split
 * one. Without a quantization's name it is Q4_K_M, as with llama.cpp, or the only one there is.
 */
final class GgufFiles {
  private static final String USUAL = "Q4_K_M";
  private static final Pattern PART =
      Pattern.compile("(?<name>.*)-(?<number>\\d{5})-of-(?<count>\\d{5})\\.gguf");
  private static final String ENDING = ".gguf";

  /** Projectors of pictures, draft heads and statistics lie beside models, and are none. */
  private static final Pattern NO_MODEL =
      Pattern.compile("(?:.*/)?(?:mmproj|mtp-|imatrix).*|.*imatrix[^/]*", Pattern.CASE_INSENSITIVE);

  private final HubReference wanted;

  /** Files of each model, in order, by its name without part number and ending. */
  private final Map<String, List<String>> models;

  GgufFiles(HubReference wanted, List<String> files) {
    this.wanted = wanted;
    this.models =
        files.stream()
            .filter(file -> file.endsWith(ENDING) && !NO_MODEL.matcher(file).matches())
            .sorted()
            .collect(Collectors.groupingBy(GgufFiles::model, TreeMap::new, Collectors.toList()));
  }

  private static String model(String file) {
    var part = PART.matcher(file);
    return part.matches() ? part.group("name") : file.substring(0, file.length() - ENDING.length());
  }

  /** Whether the model is one of them, and no directory of other files. */
  boolean areMeant(ServedFiles others) {
    return wanted.namesGguf() || (!models.isEmpty() && !others.areModel());
  }

  /** Each model's first file. */
  List<String> models() {
    return models.values().stream().map(List::getFirst).toList();
  }

  /**
   * The files of the model that is wanted; the first is the one to open.
   *
   * @throws InferenceException {@code UNKNOWN_CHECKPOINT} listing what there is
   */
  List<String> choose() {
    List<String> chosen;
    if (!wanted.file().isEmpty()) {
      chosen = models.getOrDefault(model(wanted.file()), List.of());
      if (!chosen.contains(wanted.file())) {
        throw none("no file " + wanted.file());
      }
    } else if (wanted.quantization().isEmpty()) {
      var usual = quantized(USUAL);
      if (usual.isEmpty() && models.size() == 1) {
        usual = List.copyOf(models.keySet());
      }
      chosen = one(usual, USUAL);
    } else {
      chosen = one(quantized(wanted.quantization()), wanted.quantization());
    }
    return complete(chosen);
  }

  private List<String> one(List<String> names, String quantization) {
    if (names.size() != 1) {
      throw none(
          names.isEmpty()
              ? "no GGUF file of quantization " + quantization
              : "several GGUF files of quantization " + quantization);
    }
    return models.getOrDefault(names.getFirst(), List.of());
  }

  /** Models whose name ends in the quantization; "UD-Q4_K_XL" is only meant where it is said. */
  private List<String> quantized(String quantization) {
    String ending = quantization.toLowerCase(Locale.ROOT);
    var found =
        models.keySet().stream()
            .filter(name -> endsIn(name.toLowerCase(Locale.ROOT), ending))
            .toList();
    var plain =
        found.stream()
            .filter(name -> !endsIn(name.toLowerCase(Locale.ROOT), "ud-" + ending))
            .toList();
    return plain.isEmpty() || ending.startsWith("ud-") ? found : plain;
  }

  private static boolean endsIn(String name, String ending) {
    int before = name.length() - ending.length() - 1;
    return name.equals(ending)
        || (before >= 0 && name.endsWith(ending) && "-._/".indexOf(name.charAt(before)) >= 0);
  }

  private List<String> complete(List<String> files) {
    var part = PART.matcher(files.getFirst());
    if (part.matches() && files.size() != Integer.parseInt(part.group("count"))) {
      throw none("not all parts of " + files.getFirst());
    }
    return files;
  }

  private InferenceException none(String what) {
    String there = String.join(", ", models());
    return new InferenceException(
        ErrorCode.UNKNOWN_CHECKPOINT,
        "%s has %s; name one of its files as %s/FILE: %s"
            .formatted(
                wanted.repository(),
                what,
                wanted.repository(),
                there.isEmpty() ? "there are none" : there));
  }
}
