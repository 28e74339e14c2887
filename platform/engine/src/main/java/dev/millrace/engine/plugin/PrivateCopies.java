package dev.millrace.engine.plugin;

import dev.millrace.spi.ErrorCode;
import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder of our own for the jars that are open: a jar that is overwritten or deleted while its
 * classes are in use would break them.
 */
final class PrivateCopies implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PrivateCopies.class);

  private static final long LARGEST_JAR = 256L << 20;

  private final Path folder;
  private int count;

  PrivateCopies() {
    try {
      folder = Files.createTempDirectory("millrace-plugins");
      folder.toFile().deleteOnExit(); // for a program that ends without closing this
    } catch (IOException e) {
      throw new InferenceException(
          ErrorCode.INVALID_CONFIGURATION,
          "no folder for copies of plugin jars can be made in java.io.tmpdir: " + e,
          e);
    }
  }

  /** Copies a jar, whose name stays recognizable. */
  Path copy(Path jar) throws IOException {
    if (Files.size(jar) > LARGEST_JAR) {
      throw new UnfitJarException(
          "it is larger than the %d MiB that a plugin may have".formatted(LARGEST_JAR >> 20));
    }
    var copy = folder.resolve(count++ + "-" + jar.getFileName());
    copy.toFile().deleteOnExit();
    return Files.copy(jar, copy, StandardCopyOption.REPLACE_EXISTING);
  }

  static void delete(Path copy) {
    try {
      Files.deleteIfExists(copy);
    } catch (IOException e) {
      LOG.warn("{} stays behind: {}", copy, e.toString());
    }
  }

  @Override
  public void close() {
    try (var left = Files.newDirectoryStream(folder)) {
      left.forEach(PrivateCopies::delete);
    } catch (IOException e) {
      LOG.warn("{} cannot be emptied: {}", folder, e.toString());
    }
    delete(folder);
  }
}
