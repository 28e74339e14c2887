package dev.millrace.compare.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.millrace.loadtest.CompletionCall;
import java.util.List;
import org.junit.jupiter.api.Test;

class FloorTest {
  /** 1,000 weights of a body, 200 of a head, 10 numbers of cache, 8 operations a position. */
  private static final Work WORK = new Work(1_000, 200, 0, 0, 10, 8);

  private static Floor floor(double bytesPerSecond, double operationsPerSecond) {
    return new Floor(WORK, 600, bytesPerSecond, operationsPerSecond);
  }

  @Test
  void oneStreamWaitsForMemory() {
    // 600 bytes of weights and 50 positions of 10 numbers in two bytes
    assertEquals(1 / 1.6, floor(1_000, 1e9).decode(1, 50), 1e-12);
  }

  @Test
  void manyStreamsWaitForProducts() {
    // 4 times (2 x 1,200 + 50 x 8) operations
    assertEquals(4 / 1.12, floor(1e9, 10_000).decode(4, 50), 1e-12);
  }

  @Test
  void promptAttendsToWhatIsBeforeEachTokenAndAsksTheHeadOnce() {
    // 2 x 1,000 x 3 + 2 x 200 + 8 x (1 + 2 + 3)
    assertEquals(3 / 6.448, floor(1e9, 1_000).prefill(3), 1e-12);
  }

  @Test
  void memoryAloneCountsWhereNoPeakIsKnown() {
    assertEquals(3 / 0.6, floor(1_000, Double.NaN).prefill(3), 1e-12);
  }

  @Test
  void requestsArePromptsAndThenStepsThatAllUsersShare() {
    var call = new CompletionCall(new int[3], 5);
    // a prompt of 6,448 operations, four further tokens in steps of 2 streams at 5.5 positions
    double step = (600 + 2 * 5.5 * 10 * 2) / 100.0;
    double seconds = 2 * (6.448 + 4 * step / 2);
    assertEquals(10 / seconds, floor(100, 1_000).requests(List.of(call, call), 2), 1e-12);
  }
}
