package dev.millrace.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.millrace.engine.batch.TokenDraws;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Draws tokens of rows of logits that lie on the device. Engine thread. */
final class Sampling implements Owned.Closing {
  /** Bytes of a row's settings, as {@code sample.cu} has them. */
  private static final int SETTINGS = 32;

  private static final int ARGMAX_THREADS = 1024;
  private static final int SAMPLE_THREADS = 512;

  private final KernelModules kernels;
  private final int vocabulary;
  private final Owned owned = new Owned();
  private final PinnedMemory pinned;
  private final Memory settings;
  private final Memory tokens;

  /**
   * Takes its memory.
   *
   * @param rows that are drawn from at a time, at most
   */
  Sampling(KernelModules kernels, int vocabulary, int rows) {
    this.kernels = kernels;
    this.vocabulary = vocabulary;
    try {
      this.pinned = owned.add(new PinnedMemory((long) SETTINGS * rows));
      this.settings = new Memory((long) SETTINGS * rows, "settings of sampling");
      owned.onClose(settings::close);
      this.tokens = new Memory((long) Integer.BYTES * rows, "sampled tokens");
      owned.onClose(tokens::close);
    } catch (RuntimeException | Error e) {
      owned.close();
      throw e;
    }
  }

  /**
   * Puts into the stream that tokens are drawn for rows of logits, and brought back.
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
    boolean greedy = write(first, rows, draws, from, end);
    try (var arena = Arena.ofConfined()) {
      var launch =
          greedy
              ? kernels.launch("argmax_f32", ARGMAX_THREADS, 0, 4, arena)
              : kernels.launch("sample_f32", SAMPLE_THREADS, 0, 5, arena);
      launch.grid(StepSize::rows, _ -> 1).pointer(logits).number(stride).number(vocabulary);
      if (!greedy) {
        DriverCalls.upload(settings.address(), pinned.segment(), (long) SETTINGS * rows, stream);
        launch.pointer(settings.address());
      }
      launch.pointer(tokens.address()).run(StepSize.ofRows(rows), stream);
    }
    DriverCalls.download(pinned.segment(), tokens.address(), (long) Integer.BYTES * rows, stream);
  }

  /** Takes what was drawn, once the stream has come so far; arguments as before. */
  void take(TokenDraws draws, int first, int from, int end) {
    for (int i = from; i < end; i++) {
      draws.drawn(i, pinned.segment().getAtIndex(JAVA_INT, draws.pick(i) - first));
    }
  }

  /** Writes the settings of rows, and says whether all want the likeliest token. */
  private boolean write(int first, int rows, TokenDraws draws, int from, int end) {
    var to = pinned.segment();
    to.asSlice(0, (long) SETTINGS * rows).fill((byte) 0); // for rows that nothing is drawn of
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
