package dev.millrace.server.models;

import dev.millrace.engine.hub.PullListener;
import dev.millrace.engine.hub.PullProgress;
import java.io.PrintWriter;
import java.util.Locale;

/** Draws on a terminal how a pull goes, in one line. The cursor rests at its beginning. */
public final class ProgressBar implements PullListener {
  private static final int WIDTH = 24;
  private static final String CLEAR_REST = "\u001b[K";

  private final PrintWriter terminal;

  public ProgressBar(PrintWriter terminal) {
    this.terminal = terminal;
  }

  @Override
  public void moved(PullProgress progress) {
    draw(progress, '\r');
  }

  @Override
  public void note(String text) {
    terminal.print("pulling: " + text + CLEAR_REST + "\n");
    terminal.flush();
  }

  @Override
  public void ended(PullProgress progress) {
    draw(progress, '\n');
  }

  private void draw(PullProgress progress, char end) {
    double part = progress.total() == 0 ? 0 : (double) progress.present() / progress.total();
    int full = (int) (part * WIDTH);
    terminal.print(
        String.format(
            Locale.ROOT,
            "%s [%s%s] %3.0f %% %s%s%c",
            progress.model(),
            "=".repeat(full),
            " ".repeat(WIDTH - full),
            Math.floor(100 * part),
            progress.describe(),
            CLEAR_REST,
            end));
    terminal.flush();
  }
}
