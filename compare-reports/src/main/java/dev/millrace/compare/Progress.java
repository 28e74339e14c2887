package dev.millrace.compare;

import java.io.Console;
import java.io.PrintWriter;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * Tells a waiting person how far the comparison is: a bar that is drawn over on a terminal, one
 * line for each phase elsewhere. Safe for any thread.
 */
final class Progress {
  private static final long PAUSE_NANOS = 100_000_000;
  private static final int BAR = 24;

  private final PrintWriter out;
  private final boolean terminal;
  private long began = System.nanoTime();
  private double seconds = 1;
  private int width;
  private long lastDrawn;

  Progress(PrintWriter out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  static Progress to(PrintWriter out) {
    boolean terminal =
        Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent();
    return new Progress(out, terminal);
  }

  /** Begins a comparison that should take so many seconds. */
  synchronized void begin(double expectedSeconds) {
    began = System.nanoTime();
    seconds = expectedSeconds;
  }

  /** Begins a phase without a count. */
  synchronized void phase(String text) {
    show(text);
  }

  /** Begins a phase of so many steps and returns where to report them. */
  synchronized IntConsumer phase(String text, int steps) {
    show(text + ", " + steps + " requests");
    return done -> count(text, done, steps);
  }

  /** Clears the line, so that a result can be printed. */
  synchronized void end() {
    if (terminal) {
      draw("");
      out.print('\r');
      out.flush();
    }
  }

  private synchronized void count(String text, int done, int steps) {
    long now = System.nanoTime();
    if (terminal && (done == steps || now - lastDrawn > PAUSE_NANOS)) {
      lastDrawn = now;
      draw("%s %s %d/%d".formatted(bar(now), text, done, steps));
    }
  }

  /** How much of the planned time has passed. */
  private String bar(long now) {
    double passed = (now - began) / 1e9;
    int full = (int) Math.min(BAR, Math.round(BAR * passed / seconds));
    return "[%s%s] %d of about %.0f s,"
        .formatted("#".repeat(full), "-".repeat(BAR - full), (long) passed, seconds);
  }

  private void show(String text) {
    if (terminal) {
      draw(bar(System.nanoTime()) + " " + text);
    } else {
      out.println(
          "compare: %3d s  %s".formatted((System.nanoTime() - began) / 1_000_000_000, text));
    }
  }

  private void draw(String text) {
    String line = text.isEmpty() ? "" : "compare: " + text;
    out.print("\r" + line + " ".repeat(Math.max(0, width - line.length())));
    out.flush();
    width = line.length();
  }
}
