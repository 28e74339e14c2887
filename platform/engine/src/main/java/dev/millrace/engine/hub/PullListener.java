package dev.millrace.engine.hub;

/** Hears how a pull goes. Any thread, one at a time. */
public interface PullListener {
  /** Bytes have come, or have had to be thrown away; at most five times a second. */
  void moved(PullProgress progress);

  /** Something went wrong that is tried again, or is waited for. */
  void note(String text);

  /** The pull is over, well or badly, having moved at least once. */
  void ended(PullProgress progress);

  /** Hears nothing. */
  PullListener NONE =
      new PullListener() {
        @Override
        public void moved(PullProgress progress) {}

        @Override
        public void note(String text) {}

        @Override
        public void ended(PullProgress progress) {}
      };
}
