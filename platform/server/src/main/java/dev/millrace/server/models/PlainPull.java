package dev.millrace.server.models;

import dev.millrace.engine.hub.PullListener;
import dev.millrace.engine.hub.PullProgress;
import java.io.PrintWriter;

/** Writes how a pull goes where there is no terminal: in a line every few seconds. */
public final class PlainPull implements PullListener {
  private final PrintWriter out;
  private final Pace pace = new Pace();

  public PlainPull(PrintWriter out) {
    this.out = out;
  }

  @Override
  public void moved(PullProgress progress) {
    if (pace.isDue()) {
      out.printf("pulling %s: %s%n", progress.model(), progress.describe());
    }
  }

  @Override
  public void note(String text) {
    out.println("pulling: " + text);
  }

  @Override
  public void ended(PullProgress progress) {
    pace.stop();
    if (progress.complete()) {
      out.printf("pulled %s: %s%n", progress.model(), progress.describe());
    }
  }
}
