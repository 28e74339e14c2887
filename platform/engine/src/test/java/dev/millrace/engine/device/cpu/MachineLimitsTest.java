package dev.millrace.engine.device.cpu;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.Test;

class MachineLimitsTest {
  @Test
  void everyKindCountsItsOperationsInProportionToTheRounds() {
    assumeTrue(NativeLibrary.lack().isEmpty(), NativeLibrary.lack());
    var peak = MachineLimits.open();
    assertFalse(peak.kinds().isEmpty());
    for (var kind : peak.kinds()) {
      long once = peak.multiply(kind, 1);
      assertTrue(once > 0, kind::toString);
      assertEquals(7 * once, peak.multiply(kind, 7), kind::toString);
    }
  }

  @Test
  void multipliesBfloatsWhereTheKernelsDo() {
    assumeTrue(NativeLibrary.lack().isEmpty(), NativeLibrary.lack());
    boolean rounds = NativeLibrary.sets().stream().anyMatch(InstructionSet::roundsActivations);
    boolean found =
        MachineLimits.open().kinds().stream()
            .anyMatch(kind -> kind.numbers() == MachineLimits.Numbers.BF16);
    assertEquals(rounds, found);
  }

  @Test
  void readsAllOfTheMemoryAndNothingBehindIt() {
    assumeTrue(NativeLibrary.lack().isEmpty(), NativeLibrary.lack());
    try (var arena = Arena.ofConfined()) {
      var memory = arena.allocate(1024 + 64, 64);
      long expected = 0;
      for (int word = 0; word < memory.byteSize() / 8; word++) {
        long value = 0x9E3779B97F4A7C15L * (word + 1);
        memory.setAtIndex(JAVA_LONG, word, value);
        expected ^= word < 1024 / 8 ? value : 0;
      }
      assertEquals(expected, MachineLimits.open().read(memory));
    }
  }
}
