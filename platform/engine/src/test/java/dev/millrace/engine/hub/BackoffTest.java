package dev.millrace.engine.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BackoffTest {
  private static final Backoff SECOND =
      new Backoff(5, Duration.ofSeconds(1), Duration.ofMinutes(1));

  @Test
  void pauseDoublesWithSomeChance() {
    assertEquals(Duration.ofSeconds(1), SECOND.pause(1, Optional.empty(), 0.5));
    assertEquals(Duration.ofSeconds(3), SECOND.pause(3, Optional.empty(), 0));
    assertEquals(Duration.ofSeconds(5), SECOND.pause(3, Optional.empty(), 1));
  }

  @Test
  void serverMayAskForMoreButNotForLess() {
    assertEquals(Duration.ofSeconds(9), SECOND.pause(1, Optional.of(Duration.ofSeconds(9)), 0.5));
    assertEquals(Duration.ofSeconds(1), SECOND.pause(1, Optional.of(Duration.ZERO), 0.5));
  }
}
