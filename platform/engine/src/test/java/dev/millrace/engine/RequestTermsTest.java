package dev.millrace.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.millrace.spi.InferenceException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestTermsTest {
  private static final long NEVER = Long.MAX_VALUE;
  private static final long SECOND = 1_000_000_000;

  /** The clock's values mean nothing: it may be negative, or about to overflow. */
  @ParameterizedTest
  @ValueSource(longs = {0, -5 * SECOND, Long.MIN_VALUE + 1, NEVER - SECOND / 2})
  void theEarlierLimitCountsWhateverTheClockSays(long now) {
    assertEquals(NEVER, queueDeadline(now, RequestTerms.USUAL));
    assertEquals(now + SECOND, queueDeadline(now, terms(1, 0)));
    assertEquals(now + SECOND, queueDeadline(now, terms(0, 1)));
    assertEquals(now + SECOND, queueDeadline(now, terms(2, 1)));
    assertEquals(now + SECOND, queueDeadline(now, terms(1, 2)));
  }

  @Test
  void negativeLimitsAreRefused() {
    assertThrows(InferenceException.class, () -> terms(-1, 0));
    assertThrows(InferenceException.class, () -> terms(0, -1));
  }

  private static long queueDeadline(long now, RequestTerms terms) {
    return terms.queueDeadline(now, terms.deadline(now));
  }

  /** Limits in seconds; 0: none. */
  private static RequestTerms terms(int queue, int whole) {
    return new RequestTerms(0, "", "", limit(queue), limit(whole));
  }

  private static Duration limit(int seconds) {
    return seconds == 0 ? RequestTerms.NO_TIMEOUT : Duration.ofSeconds(seconds);
  }
}
