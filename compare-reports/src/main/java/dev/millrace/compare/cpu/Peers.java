package dev.millrace.compare.cpu;

import dev.millrace.compare.CompareException;
import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * How the user's other programs are run.
 *
 * @param llama the words before the name of a program of llama.cpp, if there is one
 * @param python the words before {@code -c}, of a Python with PyTorch and transformers
 * @param staticServer a server of transformers, with {@code {model}}, {@code {port}} and {@code
 *     {batch}} in its words
 * @param here a folder of this process
 * @param there what the peers call it
 */
record Peers(
    Optional<List<String>> llama,
    Optional<List<String>> python,
    Optional<List<String>> staticServer,
    Path here,
    Path there) {
  private static final int MINUTES = 8;
  private static final int SHOWN = 600;
  private static final Redirect NOTHING = Redirect.from(new File("/dev/null"));

  /** A file's path as peers see it. */
  String seen(Path file) {
    var whole = file.toAbsolutePath().normalize();
    var folder = here.toAbsolutePath().normalize();
    return whole.startsWith(folder)
        ? there.resolve(folder.relativize(whole)).toString()
        : whole.toString();
  }

  /** The command line of a program of llama.cpp. */
  List<String> llama(String program, String... arguments) {
    var command = new ArrayList<>(llama.orElseThrow());
    command.add(program);
    command.addAll(List.of(arguments));
    return command;
  }

  /** What a program has printed. */
  record Printed(String out, String errors) {}

  /** Runs a program to its end. */
  static Printed run(List<String> command, Path log) {
    var out = log.resolveSibling(log.getFileName() + ".out");
    var builder = new ProcessBuilder(command).redirectOutput(out.toFile());
    builder.redirectError(log.toFile()).redirectInput(NOTHING);
    try {
      var process = builder.start();
      if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new CompareException(command + " did not end in " + MINUTES + " minutes");
      }
      var printed = new Printed(text(out), text(log));
      if (process.exitValue() != 0) {
        throw new CompareException(
            "%s ended with status %d: %s"
                .formatted(String.join(" ", command), process.exitValue(), end(printed.errors())));
      }
      return printed;
    } catch (IOException e) {
      throw new CompareException("cannot run " + command.getFirst() + ": " + e.getMessage());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new CompareException("interrupted");
    }
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8); // whatever it holds
  }

  private static String end(String text) {
    return text.substring(Math.max(0, text.length() - SHOWN)).strip();
  }
}
