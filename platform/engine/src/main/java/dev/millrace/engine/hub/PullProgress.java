package dev.millrace.engine.hub;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;

/** How far a pull is. Any thread. */
public final class PullProgress {
  private static final long WINDOW_NANOS = Duration.ofSeconds(8).toNanos();
  private static final double KILO = 1000;

  private record Mark(long nanos, long received) {}

  private final String model;
  private final Deque<Mark> marks = new ArrayDeque<>();
  private long total;
  private long presentAtFirst;
  private long present;
  private long received;
  private boolean stopped;

  PullProgress(String model) {
    this.model = model;
    marks.add(new Mark(System.nanoTime(), 0));
  }

  /** More is to be fetched, some of which is there already. */
  synchronized void expect(long bytes, long thereof) {
    total += bytes;
    presentAtFirst += thereof;
    present += thereof;
  }

  /** Bytes came; negative: they were thrown away. */
  synchronized void add(long bytes) {
    received += bytes;
  }

  /** Bytes are there that nobody had to fetch; negative: they turned out useless. */
  synchronized void addPresent(long bytes) {
    present += bytes;
  }

  synchronized void mark() {
    long now = System.nanoTime();
    marks.addLast(new Mark(now, received));
    while (marks.size() > 2 && now - marks.getFirst().nanos() > WINDOW_NANOS) {
      marks.removeFirst();
    }
  }

  synchronized void stop() {
    stopped = true;
  }

  public String model() {
    return model;
  }

  /** Bytes of all files that the pull must bring, once it knows them. */
  public synchronized long total() {
    return total;
  }

  /** Bytes of them that are there. */
  public synchronized long present() {
    return Math.clamp(present + received, 0, total);
  }

  /** Bytes of them that were there before. */
  synchronized long presentAtFirst() {
    return presentAtFirst;
  }

  /** Whether all is there. */
  public synchronized boolean complete() {
    return stopped && present() == total;
  }

  /** Bytes per second of late. */
  public synchronized double rate() {
    var first = marks.getFirst();
    double seconds = (System.nanoTime() - first.nanos()) / 1e9;
    return seconds <= 0 ? 0 : Math.max(0, (received - first.received()) / seconds);
  }

  /** {@code 1.2 GB of 15.2 GB, 80.1 MB/s, 3 min}. */
  public synchronized String describe() {
    double rate = rate();
    var text = new StringBuilder("%s of %s".formatted(size(present()), size(total)));
    if (rate >= 1 && present() < total) {
      text.append(", %s/s, %s".formatted(size((long) rate), time((total - present()) / rate)));
    }
    return text.toString();
  }

  /** Bytes in the unit that suits them, of 1000 each. */
  public static String size(long bytes) {
    if (bytes < KILO) {
      return bytes + " B";
    }
    double value = bytes;
    int unit = -1;
    while (value >= KILO) {
      value /= KILO;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %cB", value, "kMGTPE".charAt(unit));
  }

  private static String time(double seconds) {
    if (seconds < 90) {
      return Math.round(Math.ceil(seconds)) + " s";
    }
    return seconds < 5400 ? Math.round(seconds / 60) + " min" : Math.round(seconds / 3600) + " h";
  }
}
