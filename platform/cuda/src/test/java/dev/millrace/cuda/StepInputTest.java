package dev.millrace.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where kernels find what they read several numbers of at a time. */
class StepInputTest {
  @BeforeEach
  void useTheSimulation() {
    SimulatedDriver.use();
  }

  @AfterEach
  void everythingWasGivenBack() {
    SimulatedDriver.requireEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {64, 129, 257, 1001})
  void copiesAndTilesAreAligned(int rows) throws Unavailable {
    try (var gpu = new Gpu(DriverLibrary.open())) {
      gpu.enter();
      try (var input =
          new StepInput(16, new StepInput.AttentionShape(16, new PartLength(264, 8), true))) {
        input.grow(rows, 3, 5, 17);
        assertEquals(0, input.copies() % (2 * Integer.BYTES));
        assertEquals(0, input.tiles() % (4 * Integer.BYTES));
      }
    }
  }
}
