package dev.millrace.compare.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class PausesRowTest {
  @Test
  void everyPauseOfTheLogCountsAndNothingElse() {
    var pauses =
        PausesRow.pauses(
            List.of(
                "[0.005s][info][gc] Using G1",
                "[0.9s][info][gc] GC(0) Pause Young (Normal) (G1 Evacuation Pause) 23M->5M(512M) 2.345ms",
                "[1.2s][info][gc] GC(1) Concurrent Mark Cycle 33.300ms",
                "[1.3s][info][gc] GC(1) Pause Remark 30M->30M(512M) 0.500ms"));
    assertEquals(2, pauses.getTotalCount());
    assertEquals(2345, pauses.getMaxValue());
    assertEquals(500, pauses.getMinValue());
  }

  @Test
  void findsThePausesOfZgc() {
    var pauses =
        PausesRow.pauses(
            List.of(
                "[0.9s][info][gc,phases] GC(0) y: Pause Mark Start 0.016ms",
                "[0.9s][info][gc,phases] GC(0) y: Concurrent Mark 12.5ms",
                "[0.9s][info][gc] GC(0) Minor Collection (Allocation Rate) 90M(18%)->20M(4%) 0.01s"));
    assertEquals(1, pauses.getTotalCount());
    assertEquals(16, pauses.getMaxValue());
  }
}
