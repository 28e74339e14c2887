package dev.millrace.cuda;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where cuBLASLt may be. NVIDIA's packages put it where the loader looks or under {@code
 * /usr/local}; Python's {@code nvidia-cublas} among the modules of an interpreter.
 *
 * @param names what the library may be called, the newest first
 * @param folder where to look and nowhere else; null: everywhere
 * @param root the root of the file system
 */
record BlasSearch(
    List<String> names, @Nullable String folder, Map<String, String> environment, Path root) {
  /** The system property that names the folder, and the environment variable that also can. */
  static final String PROPERTY = "millrace.cublaslt";

  static final String VARIABLE = "MILLRACE_CUBLASLT";

  static final List<String> NAMES = List.of("libcublasLt.so.13", "libcublasLt.so.12");

  private static final List<String> TOOLKIT = List.of("lib64", "targets/x86_64-linux/lib");
  private static final List<String> PACKAGES = List.of("nvidia/cu13/lib", "nvidia/cublas/lib");

  /** On this machine. */
  static BlasSearch here() {
    String folder = System.getProperty(PROPERTY, System.getenv(VARIABLE));
    return new BlasSearch(NAMES, folder, System.getenv(), Path.of("/"));
  }

  /** What to give to the loader, the likeliest first: files that exist, and bare names. */
  List<String> candidates() {
    var found = new ArrayList<String>();
    if (folder != null) {
      addFrom(Path.of(folder), found);
      return found;
    }
    found.addAll(names); // also what LD_LIBRARY_PATH names
    for (var place : places()) {
      addFrom(place, found);
    }
    return found;
  }

  private void addFrom(Path place, List<String> found) {
    for (String name : names) {
      if (Files.exists(place.resolve(name))) {
        found.add(place.resolve(name).toString());
      }
    }
  }

  private Set<Path> places() {
    var places = new LinkedHashSet<Path>();
    for (var toolkit : toolkits()) {
      TOOLKIT.forEach(folder -> places.add(toolkit.resolve(folder)));
    }
    for (var prefix : prefixes()) {
      for (var modules : matching(prefix, List.of("lib", "lib64", "local/lib"), "python3*")) {
        for (String packages : List.of("site-packages", "dist-packages")) {
          PACKAGES.forEach(folder -> places.add(modules.resolve(packages).resolve(folder)));
        }
      }
      places.add(prefix.resolve("lib")); // conda's own packages
    }
    return places;
  }

  private List<Path> toolkits() {
    var toolkits = new ArrayList<Path>();
    for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
      if (environment.containsKey(variable)) {
        toolkits.add(Path.of(environment.get(variable)));
      }
    }
    toolkits.addAll(matching(root.resolve("usr"), List.of("local"), "cuda*"));
    return toolkits;
  }

  /** Where interpreters of Python are installed, that of a virtual environment before its base. */
  private Set<Path> prefixes() {
    var prefixes = new LinkedHashSet<Path>();
    for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
      if (environment.containsKey(variable)) {
        prefixes.add(Path.of(environment.get(variable)));
      }
    }
    for (String folder : environment.getOrDefault("PATH", "/usr/bin").split(":", -1)) {
      var python = Path.of(folder.isEmpty() ? "." : folder, "python3");
      if (Files.isExecutable(python)) {
        addPrefix(python.toAbsolutePath(), prefixes);
        addPrefix(real(python), prefixes);
      }
    }
    return prefixes;
  }

  /** {@code /usr} for {@code /usr/bin/python3}. */
  private static void addPrefix(@Nullable Path python, Set<Path> prefixes) {
    var folder = python == null ? null : python.getParent();
    if (folder != null && folder.getParent() != null) {
      prefixes.add(folder.getParent());
    }
  }

  private static @Nullable Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException _) {
      return null;
    }
  }

  /** Entries of some of a folder's folders by a pattern, the newest version first. */
  private static List<Path> matching(Path parent, List<String> folders, String pattern) {
    return folders.stream()
        .map(parent::resolve)
        .flatMap(folder -> entries(folder, pattern).stream())
        .sorted(Comparator.reverseOrder())
        .toList();
  }

  private static List<Path> entries(Path folder, String pattern) {
    var found = new ArrayList<Path>();
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, pattern)) {
        entries.forEach(found::add);
      } catch (IOException | DirectoryIteratorException _) {
        return List.of(); // what cannot be read has no library
      }
    }
    return found;
  }
}
