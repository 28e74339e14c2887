package dev.millrace.server.models;

import dev.millrace.engine.hub.PullListener;
import dev.millrace.engine.hub.PullProgress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells the log how a pull goes: in a line every few seconds. */
public final class LoggedPull implements PullListener {
  private static final Logger LOG = LoggerFactory.getLogger(LoggedPull.class);

  private final Pace pace = new Pace();

  @Override
  public void moved(PullProgress progress) {
    if (pace.isDue()) {
      LOG.info("pulling {}: {}", progress.model(), progress.describe());
    }
  }

  @Override
  public void note(String text) {
    LOG.warn("pulling: {}", text);
  }

  @Override
  public void ended(PullProgress progress) {
    pace.stop();
    if (progress.complete()) {
      LOG.info("pulled {}: {}", progress.model(), progress.describe());
    }
  }
}
