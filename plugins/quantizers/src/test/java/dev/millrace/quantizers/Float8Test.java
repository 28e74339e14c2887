package dev.millrace.quantizers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class Float8Test {
  /** The bits of all numbers of E4M3 from 0 to 448, in their order. */
  private static final int LAST = 0x7E;

  @Test
  void everyNumberRoundsToItself() {
    for (int bits = 0; bits < 256; bits++) {
      float number = Float8.e4m3((byte) bits);
      if (!Float.isNaN(number) && bits != 0x80) {
        assertEquals((byte) bits, Float8.toE4m3(number), number + "f");
      }
    }
    assertEquals(0, Float8.toE4m3(-0f));
  }

  @Test
  void betweenTwoTheNearestIsTakenAndOfEquallyNearTheEven() {
    for (int bits = 0; bits < LAST; bits++) {
      float below = Float8.e4m3((byte) bits);
      float above = Float8.e4m3((byte) (bits + 1));
      float middle = (below + above) / 2; // exact
      assertEquals(bits, Float8.toE4m3(Math.nextDown(middle)), "below " + middle);
      assertEquals(bits + 1, Float8.toE4m3(Math.nextUp(middle)), "above " + middle);
      assertEquals(bits + bits % 2, Float8.toE4m3(middle), "at " + middle);
      assertEquals((byte) (bits + bits % 2 | 128), Float8.toE4m3(-middle), "at -" + middle);
    }
  }

  @Test
  void beyondTheLargestIsTheLargest() {
    for (float number : new float[] {449, 1e10f, Float.MAX_VALUE, Float.POSITIVE_INFINITY}) {
      assertEquals(LAST, Float8.toE4m3(number));
      assertEquals((byte) (LAST | 128), Float8.toE4m3(-number));
    }
  }
}
