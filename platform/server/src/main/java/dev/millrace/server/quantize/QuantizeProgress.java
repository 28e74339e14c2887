package dev.millrace.server.quantize;

import dev.millrace.engine.quantize.QuantizeListener;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;

/** Shows how far quantizing has come: a bar on a terminal, else a line now and then. */
public final class QuantizeProgress implements QuantizeListener {
  private static final int WIDTH = 24;
  private static final String CLEAR_REST = "\u001b[K";
  private static final long BETWEEN_LINES = Duration.ofSeconds(10).toNanos();

  private final PrintWriter out;
  private final boolean terminal;
  private final long began = System.nanoTime();
  private long lastLine = began;

  /**
   * @param terminal whether somebody watches, and lines can be drawn over
   */
  public QuantizeProgress(PrintWriter out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  @Override
  public void quantized(int done, int total, String module) {
    long now = System.nanoTime();
    boolean last = done == total;
    if (!terminal && !last && now - lastLine < BETWEEN_LINES) {
      return;
    }
    lastLine = now;
    double seconds = (now - began) / 1e9;
    String text =
        String.format(
            Locale.ROOT,
            "quantized %d of %d matrices, %.0f s, about %.0f s to go: %s",
            done,
            total,
            seconds,
            seconds / done * (total - done),
            module);
    if (!terminal) {
      out.println(text);
      return;
    }
    int full = WIDTH * done / total;
    out.print("[" + "=".repeat(full) + " ".repeat(WIDTH - full) + "] " + text + CLEAR_REST);
    out.print(last ? "\n" : "\r");
    out.flush();
  }
}
