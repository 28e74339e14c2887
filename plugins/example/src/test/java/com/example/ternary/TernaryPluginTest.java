package com.example.ternary;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.millrace.spi.quant.DType;
import dev.millrace.testkit.MemoryCheckpoint;
import java.util.List;
import org.junit.jupiter.api.Test;

class TernaryPluginTest {
  @Test
  void aWeightBecomesOneOfThree() {
    var checkpoint =
        new MemoryCheckpoint()
            .floats("m.weight", DType.BF16, List.of(2, 5), 3, -1, 0.25f, 4, -2, 0, 0, 0, 0, 0);
    var matrix = new TernaryPlugin().read("m", checkpoint);
    float[] row = new float[5];
    matrix.decodeRow(0, row);
    float mean = 2.05f;
    assertArrayEquals(new float[] {mean, 0, 0, mean, -mean}, row);
    matrix.decodeRow(1, row);
    assertArrayEquals(new float[5], row);
    assertEquals(2 * 4 + 2 * 2, matrix.packed().byteSize()); // two scales, two bytes a row
    assertTrue(matrix.kernel().isPresent());
  }

  @Test
  void tokenTablesAndHeadsAreLeftToOthers() {
    var checkpoint = new MemoryCheckpoint().floats("lm_head.weight", DType.BF16, List.of(1, 1), 1);
    assertFalse(new TernaryPlugin().accepts("lm_head", checkpoint));
  }
}
