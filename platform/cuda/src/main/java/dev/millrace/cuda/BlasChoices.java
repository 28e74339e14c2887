package dev.millrace.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The algorithms that were fastest on a kind of card under a version of the library, in a file: a
 * line for each shape and bucket of rows, in hexadecimal, and the CRC-32 of all lines before at the
 * end. A file that is not so is as good as none.
 */
final class BlasChoices {
  private static final Logger LOG = LoggerFactory.getLogger(BlasChoices.class);
  private static final String CHECK = "crc32 ";

  private final Path file;
  private final Map<String, byte[]> choices = new TreeMap<>();
  private boolean changed;

  private BlasChoices(Path file) {
    this.file = file;
  }

  /**
   * The folder of this user: {@code $XDG_CACHE_HOME/millrace/cublaslt}, else in {@code ~/.cache}.
   */
  static Path folder(Map<String, String> environment) {
    String given = environment.getOrDefault("XDG_CACHE_HOME", "");
    var caches =
        given.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(given);
    return caches.resolve("millrace/cublaslt");
  }

  /** What the folder has for a card and a version. */
  static BlasChoices read(Path folder, String card, String version) {
    String name = (card + "-" + version).replaceAll("[^A-Za-z0-9.]+", "-");
    var read = new BlasChoices(folder.resolve(name.toLowerCase(Locale.ROOT) + ".txt"));
    if (Files.exists(read.file)) {
      try {
        read.parse(Files.readAllLines(read.file, StandardCharsets.UTF_8));
      } catch (IOException | IllegalArgumentException e) {
        read.choices.clear();
        LOG.warn("{} is not used, and made anew: {}", read.file, e.toString());
      }
    }
    return read;
  }

  private void parse(List<String> lines) {
    int last = lines.size() - 1;
    if (last < 0 || !lines.get(last).equals(check(lines.subList(0, last)))) {
      throw new IllegalArgumentException("it is damaged");
    }
    for (String line : lines.subList(0, last)) {
      int space = line.indexOf(' ');
      byte[] algorithms = HexFormat.of().parseHex(line, space + 1, line.length());
      if (space < 0 || algorithms.length == 0 || algorithms.length % BlasAlgorithms.BYTES != 0) {
        throw new IllegalArgumentException("it is of another kind");
      }
      choices.put(line.substring(0, space), algorithms);
    }
  }

  private static String check(List<String> lines) {
    var sum = new CRC32();
    lines.forEach(line -> sum.update((line + "\n").getBytes(StandardCharsets.UTF_8)));
    return CHECK + Long.toHexString(sum.getValue());
  }

  private static String key(BlasShape shape, int bucket) {
    return shape.key() + "@" + BlasBuckets.rows(bucket);
  }

  /** Bytes of one algorithm or more, the fastest first. */
  Optional<byte[]> get(BlasShape shape, int bucket) {
    return Optional.ofNullable(choices.get(key(shape, bucket)));
  }

  void put(BlasShape shape, int bucket, byte[] algorithms) {
    choices.put(key(shape, bucket), algorithms);
    changed = true;
  }

  /**
   * Writes the file anew if something was put; where that cannot be, the next start times again.
   */
  void write() {
    if (!changed) {
      return;
    }
    var lines =
        choices.entrySet().stream()
            .map(choice -> choice.getKey() + " " + HexFormat.of().formatHex(choice.getValue()))
            .toList();
    try {
      var folder = Files.createDirectories(file.toAbsolutePath().getParent());
      var whole = Files.createTempFile(folder, "choices", ".new");
      Files.write(whole, lines, StandardCharsets.UTF_8);
      Files.writeString(whole, check(lines) + "\n", StandardOpenOption.APPEND);
      Files.move(whole, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      changed = false;
    } catch (IOException e) {
      LOG.warn("the choice of products is not kept: {}", e.toString());
    }
  }
}
