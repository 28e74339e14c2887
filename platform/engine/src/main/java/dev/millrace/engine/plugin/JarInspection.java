package dev.millrace.engine.plugin;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Looks through a jar before any of its code can run: every entry is read to its end once, so what
 * is damaged, lies about its size or unpacks without end is found here, under a bound.
 */
final class JarInspection {
  private static final long LARGEST_UNPACKED = 512L << 20;
  private static final int MOST_ENTRIES = 20_000;
  private static final String SPI = "dev/millrace/spi/";
  private static final String VERSIONS = "META-INF/versions/";

  private JarInspection() {}

  /**
   * Reads the whole jar.
   *
   * @throws UnfitJarException saying what is wrong and what would do
   */
  static void inspect(Path jar) {
    try (var zip = new ZipFile(jar.toFile())) {
      entries(zip);
    } catch (IOException e) {
      throw new UnfitJarException("it is no whole jar: " + e.getMessage(), e);
    }
  }

  private static void entries(ZipFile zip) throws IOException {
    if (zip.size() > MOST_ENTRIES) {
      throw new UnfitJarException(
          "it has %d entries, a plugin may have %d".formatted(zip.size(), MOST_ENTRIES));
    }
    var seen = new HashSet<String>();
    long unpacked = 0;
    for (ZipEntry entry : (Iterable<ZipEntry>) zip.stream().map(ZipEntry.class::cast)::iterator) {
      name(entry.getName());
      if (!seen.add(entry.getName())) {
        throw new UnfitJarException("it has two entries called " + entry.getName());
      }
      unpacked = read(zip, entry, unpacked);
    }
  }

  private static void name(String name) {
    if (name.startsWith("/")
        || name.contains("\\")
        || name.contains(":")
        || ("/" + name + "/").contains("/../")) {
      throw new UnfitJarException("its entry " + name + " would lie outside of it; pack it again");
    }
    if (name.endsWith(".class") && isOfSpi(name)) {
      throw new UnfitJarException(
          "it brings "
              + name
              + " along; give the dependency on millrace-spi the scope 'provided', and do not"
              + " shade it");
    }
  }

  private static boolean isOfSpi(String name) {
    if (!name.startsWith(VERSIONS)) {
      return name.startsWith(SPI);
    }
    return name.startsWith(SPI, name.indexOf('/', VERSIONS.length()) + 1);
  }

  private static long read(ZipFile zip, ZipEntry entry, long unpacked) throws IOException {
    long sum = unpacked;
    var crc = new CRC32(); // which ZipFile leaves to its callers
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = zip.getInputStream(entry)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        sum += n;
        crc.update(buffer, 0, n);
        if (sum > LARGEST_UNPACKED) {
          throw new UnfitJarException(
              "it unpacks to more than the %d MiB that a plugin may have, at its entry %s"
                  .formatted(LARGEST_UNPACKED >> 20, entry.getName()));
        }
      }
    }
    if (entry.getCrc() != crc.getValue()) {
      throw new UnfitJarException("its entry " + entry.getName() + " is damaged; copy it again");
    }
    return sum;
  }
}
