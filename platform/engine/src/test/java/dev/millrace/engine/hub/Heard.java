package dev.millrace.engine.hub;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Keeps what a listener hears. */
final class Heard implements PullListener {
  final List<String> notes = new CopyOnWriteArrayList<>();
  private volatile @Nullable PullProgress last;

  @Override
  public void moved(PullProgress progress) {
    last = progress;
  }

  @Override
  public void note(String text) {
    notes.add(text);
  }

  @Override
  public void ended(PullProgress progress) {
    last = progress;
  }

  PullProgress last() {
    return Objects.requireNonNull(last, "nothing was heard");
  }
}
