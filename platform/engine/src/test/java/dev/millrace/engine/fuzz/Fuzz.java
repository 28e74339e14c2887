package dev.millrace.engine.fuzz;

import static org.junit.jupiter.api.Assertions.fail;

import dev.millrace.spi.InferenceException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Spoils a sound file in many ways, a seed for each, and has each read: it must be read, or refused
 * by a typed error, within five seconds of the thread's time, however busy the machine is. {@code
 * -Dmillrace.fuzz.cases} makes it longer, {@code -Dmillrace.fuzz.first} begins at another seed.
 */
public final class Fuzz {
  private static final int CASES = Integer.getInteger("millrace.fuzz.cases", 2_000);
  private static final int SPOILER_CASES = Integer.getInteger("millrace.fuzz.cases", 400);
  private static final int FIRST = Integer.getInteger("millrace.fuzz.first", 0);
  private static final long SLOW_NANOS = 5_000_000_000L;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    2,
    255,
    256,
    32_767,
    65_535,
    1 << 20,
    Integer.MAX_VALUE,
    1L << 31,
    0xFFFFFFFFL,
    1L << 32,
    1L << 40,
    1L << 62,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  private Fuzz() {}

  /** Reads a file, and everything that it says is in it. */
  public interface Reader {
    void read(Path file) throws IOException;
  }

  /** What a seed makes of sound files. */
  public interface Spoiler {
    byte[] spoilt(RandomGenerator random);
  }

  /**
   * Tries all seeds on bytes.
   *
   * @param header bytes at the beginning of the samples that are spoilt more often than the rest
   * @param words that may be put anywhere
   * @return how many spoilt files were read all the same
   */
  public static int run(
      Path file, List<byte[]> samples, int header, List<String> words, Reader reader)
      throws IOException {
    return run(
        file,
        CASES,
        random -> {
          byte[] bytes = samples.get(random.nextInt(samples.size()));
          for (int i = random.nextInt(4); i >= 0; i--) {
            bytes = spoilt(bytes, header, words, random);
          }
          return bytes;
        },
        reader);
  }

  /**
   * Tries all seeds.
   *
   * @return how many spoilt files were read all the same
   */
  public static int run(Path file, Spoiler spoiler, Reader reader) throws IOException {
    return run(file, SPOILER_CASES, spoiler, reader);
  }

  private static int run(Path file, int cases, Spoiler spoiler, Reader reader) throws IOException {
    int sound = 0;
    for (int seed = FIRST; seed < FIRST + cases; seed++) {
      var random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
      Files.write(file, spoiler.spoilt(random));
      long start = THREADS.getCurrentThreadCpuTime();
      try {
        reader.read(file);
        sound++;
      } catch (InferenceException e) {
        if (e.getMessage() == null || e.getMessage().length() > 10_000) {
          fail("seed " + seed + ": a message that says nothing, or too much", e);
        }
      } catch (RuntimeException | Error e) {
        fail("seed " + seed, e);
      }
      if (THREADS.getCurrentThreadCpuTime() - start > SLOW_NANOS) {
        fail("seed " + seed + " took over 5 s");
      }
    }
    return sound;
  }

  static byte[] spoilt(byte[] bytes, int header, List<String> words, RandomGenerator random) {
    if (bytes.length == 0) {
      return bytes;
    }
    int end = random.nextInt(8) == 0 ? bytes.length : Math.min(header, bytes.length);
    int at = random.nextInt(end);
    return switch (random.nextInt(8)) {
      case 0 -> flipped(bytes, at, random.nextInt(8));
      case 1 -> replaced(bytes, at, new byte[] {(byte) random.nextInt(256)}, 1);
      case 2, 3 -> numbered(bytes, at, random);
      case 4 -> Arrays.copyOf(bytes, at);
      case 5 -> replaced(bytes, at, new byte[0], 1 + random.nextInt(16));
      case 6 -> {
        int from = random.nextInt(end);
        int length = Math.min(1 + random.nextInt(64), bytes.length - from);
        byte[] part = Arrays.copyOfRange(bytes, from, from + length);
        yield replaced(bytes, at, part, random.nextBoolean() ? length : 0);
      }
      default -> {
        byte[] word = words.get(random.nextInt(words.size())).getBytes(StandardCharsets.UTF_8);
        yield replaced(bytes, at, word, random.nextBoolean() ? word.length : 0);
      }
    };
  }

  private static byte[] flipped(byte[] bytes, int at, int bit) {
    byte[] flipped = bytes.clone();
    flipped[at] ^= (byte) (1 << bit);
    return flipped;
  }

  private static byte[] numbered(byte[] bytes, int at, RandomGenerator random) {
    long number = NUMBERS[random.nextInt(NUMBERS.length)];
    int width = random.nextBoolean() ? 8 : 4;
    var out = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(number);
    return replaced(bytes, at, Arrays.copyOf(out.array(), width), width);
  }

  /** Puts {@code part} in place of {@code length} bytes. */
  private static byte[] replaced(byte[] bytes, int at, byte[] part, int length) {
    int rest = Math.min(at + length, bytes.length);
    byte[] replaced = new byte[at + part.length + bytes.length - rest];
    System.arraycopy(bytes, 0, replaced, 0, at);
    System.arraycopy(part, 0, replaced, at, part.length);
    System.arraycopy(bytes, rest, replaced, at + part.length, bytes.length - rest);
    return replaced;
  }
}
