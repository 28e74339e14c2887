package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.engine.batch.TokenDraws;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Draws tokens of rows of logits that lie on the device. They stay there for the next step, and
 * come back to the host meanwhile: so there may be draws of two steps at a time. Engine thread.
 */
final class Sampling implements Owned.Closing {
  /** Bytes of a row's settings, as {@code sample.cu} has them. */
  static final int SETTINGS = 32;

  private static final int ARGMAX_THREADS = 1024;
  private static final int SAMPLE_THREADS = 512;

  private final KernelModules kernels;
  private final int vocabulary;
  private final Owned owned = new Owned();
  private DrawnTokens last;
  private DrawnTokens current;
  private Memory settings;
  private Memory tokens;
  private int picks;

  /**
   * Takes its memory.
   *
   * @param picks of a step, for a start
   */
  Sampling(KernelModules kernels, int vocabulary, int picks) {
    this.kernels = kernels;
    this.vocabulary = vocabulary;
    this.picks = picks;
    try {
      this.last = owned.add(new DrawnTokens(picks));
      this.current = owned.add(new DrawnTokens(picks));
      this.settings = settings(picks);
      owned.onClose(() -> settings.close());
      this.tokens = tokens(picks);
      owned.onClose(() -> tokens.close());
    } catch (RuntimeException | Error e) {
      owned.close();
      throw e;
    }
  }

  private static Memory settings(int picks) {
    return new Memory((long) SETTINGS * picks, "settings of sampling");
  }

  private static Memory tokens(int picks) {
    return new Memory((long) Integer.BYTES * picks, "sampled tokens");
  }

  /** Whether there is room for the draws of a step of so many picks. */
  boolean holds(int somePicks) {
    return somePicks <= picks;
  }

  /** Makes room, while the stream does nothing; the tokens that were drawn last are kept. */
  void grow(int somePicks, long stream) {
    int wanted = Math.max(somePicks, 2 * picks);
    var larger = settings(wanted);
    settings.close();
    settings = larger;
    var moved = tokens(wanted);
    DriverCalls.move(moved.address(), tokens.address(), tokens.bytes(), stream);
    DriverCalls.synchronize(stream);
    tokens.close();
    tokens = moved;
    picks = wanted;
  }

  /** Takes tokens that were drawn last for rows of a step that say so. */
  void fill(long rowTokens, int rows, long stream) {
    try (var arena = Arena.ofConfined()) {
      kernels
          .launch("fill_tokens", LaunchList.THREADS, 0, 3, arena)
          .grid(_ -> Math.ceilDiv(rows, LaunchList.THREADS), _ -> 1)
          .pointer(rowTokens)
          .pointer(tokens.address())
          .number(rows)
          .run(StepSize.ofRows(rows), stream);
    }
  }

  /** Begins with the draws of a step, for which there is room. */
  void begin(TokenDraws draws, int allPicks) {
    var free = last;
    last = current;
    current = free;
    current.begin(draws, allPicks);
  }

  /**
   * Puts into the stream that tokens are drawn for rows of logits.
   *
   * @param logits address of the first row
   * @param first pick whose row that is
   * @param rows how many there are
   * @param from the first draw of one of them
   * @param end the draw behind the last of them
   */
  void put(
      long logits,
      int stride,
      int first,
      int rows,
      TokenDraws draws,
      int from,
      int end,
      long stream) {
    long at = (long) SETTINGS * first;
    var rowSettings = current.settings().asSlice(at, (long) SETTINGS * rows);
    boolean greedy = write(rowSettings, first, draws, from, end);
    try (var arena = Arena.ofConfined()) {
      var launch =
          greedy
              ? kernels.launch("argmax_f32", ARGMAX_THREADS, 0, 4, arena)
              : kernels.launch("sample_f32", SAMPLE_THREADS, 0, 5, arena);
      launch.grid(StepSize::rows, _ -> 1).pointer(logits).number(stride).number(vocabulary);
      if (!greedy) {
        DriverCalls.upload(settings.address() + at, rowSettings, rowSettings.byteSize(), stream);
        launch.pointer(settings.address() + at);
      }
      launch.pointer(tokens.address() + (long) Integer.BYTES * first);
      launch.run(StepSize.ofRows(rows), stream);
    }
  }

  /** All draws of the step are in the stream: has them brought to the host. */
  void end(long stream) {
    current.download(tokens.address(), stream);
  }

  /** Waits for draws, and says what they are. */
  void await(TokenDraws draws) {
    if (current.isOf(draws)) {
      current.await();
    } else if (last.isOf(draws)) {
      last.await();
    }
  }

  /** Writes the settings of rows, and says whether all want the likeliest token. */
  private static boolean write(MemorySegment to, int first, TokenDraws draws, int from, int end) {
    to.fill((byte) 0); // for rows that nothing is drawn of
    boolean greedy = true;
    for (int i = from; i < end; i++) {
      var draw = draws.draw(i);
      greedy &= draw.temperature() == 0;
      write(to, (long) SETTINGS * (draws.pick(i) - first), draw);
    }
    return greedy;
  }

  private static void write(MemorySegment to, long at, TokenDraws.Draw draw) {
    to.set(JAVA_FLOAT, at, (float) draw.temperature());
    to.set(JAVA_FLOAT, at + 4, (float) draw.topP());
    to.set(JAVA_FLOAT, at + 8, (float) draw.minP());
    to.set(JAVA_INT, at + 12, draw.topK());
    to.set(JAVA_LONG, at + 16, draw.seed());
    to.set(JAVA_LONG, at + 24, draw.index());
  }

  @Override
  public void close() {
    owned.close();
  }
}
