package dev.millrace.server.quality;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.millrace.engine.sample.LogSoftmax;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Log-probabilities of all tokens at each position of some texts, in a file that is gone when this
 * is closed: they are too many for memory.
 */
final class LogProbs implements AutoCloseable {
  private final Arena arena = Arena.ofShared();
  private final Path file;
  private final MemorySegment numbers;
  private final int vocabulary;

  LogProbs(long positions, int vocabulary) throws IOException {
    this.vocabulary = vocabulary;
    this.file = Files.createTempFile("millrace-logprobs", ".f32");
    try (var channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      long bytes = Math.multiplyExact(positions * vocabulary, Float.BYTES);
      numbers = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
    }
  }

  int vocabulary() {
    return vocabulary;
  }

  void write(long position, float[] logProbs) {
    long at = Float.BYTES * position * vocabulary;
    MemorySegment.copy(logProbs, 0, numbers, JAVA_FLOAT_UNALIGNED, at, vocabulary);
  }

  void read(long position, float[] out) {
    long at = Float.BYTES * position * vocabulary;
    MemorySegment.copy(numbers, JAVA_FLOAT_UNALIGNED, at, out, 0, vocabulary);
  }

  /** Turns logits into log-probabilities, in place. */
  static void normalise(float[] logits) {
    var model = new LogSoftmax(logits);
    for (int token = 0; token < logits.length; token++) {
      logits[token] = model.of(token);
    }
  }

  @Override
  public void close() throws IOException {
    arena.close();
    Files.deleteIfExists(file);
  }
}
