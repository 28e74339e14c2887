package dev.millrace.server.openai;

import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** Seeds for requests that bring none: random, or a fixed series if the server has a seed. */
public final class Seeds {
  private final SplittableRandom random;

  public Seeds(@Nullable Long seed) {
    random = seed == null ? new SplittableRandom() : new SplittableRandom(seed);
  }

  synchronized long next() {
    return random.nextLong();
  }
}
