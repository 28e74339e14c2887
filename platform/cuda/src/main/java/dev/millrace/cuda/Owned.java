package dev.millrace.cuda;

import java.util.ArrayDeque;
import java.util.Deque;

/** Things to be closed together, the last first. */
final class Owned implements AutoCloseable {
  private final Deque<Runnable> closers = new ArrayDeque<>();

  <T extends Closing> T add(T thing) {
    closers.push(thing::close);
    return thing;
  }

  void onClose(Runnable closer) {
    closers.push(closer);
  }

  /** A thing whose closing throws nothing. */
  interface Closing extends AutoCloseable {
    @Override
    void close();
  }

  @Override
  public void close() {
    while (!closers.isEmpty()) {
      closers.pop().run();
    }
  }
}
